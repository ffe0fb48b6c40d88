package conn

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

func join(frames ...qmux.Frame) []byte {
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	return b
}

func TestWhatEndsASession(t *testing.T) {
	first := browser.Append(nil)
	small := browser
	small.MaxRecord = 16381
	data := func(id, offset uint64, n int) qmux.Stream {
		return qmux.Stream{ID: id, Offset: offset, Data: make([]byte, n)}
	}
	window := [][]byte{first}
	for offset := 0; offset < streamWindow; offset += 16 << 10 {
		window = append(window, join(data(2, uint64(offset), 8<<10)), join(data(2, uint64(offset)+8<<10, 8<<10)))
	}
	all := [][]byte{first} // the connection's window
	for stream := range uint64(connWindow / streamWindow) {
		for offset := 0; offset < streamWindow; offset += 8 << 10 {
			all = append(all, join(data(2+4*stream, uint64(offset), 8<<10)))
		}
	}
	tests := []struct {
		name    string
		version qmux.Version
		records [][]byte
		reason  string
	}{
		{"a stream before the parameters", qmux.Draft02, [][]byte{join(data(2, 0, 1))}, "before the transport parameters"},
		{"the same on qmux-01", qmux.Draft01, [][]byte{join(data(2, 0, 1))}, "before the transport parameters"},
		{"a close before the parameters", qmux.Draft02, [][]byte{join(qmux.ApplicationClose{Code: 6})}, "before the transport parameters"},
		{"parameters twice", qmux.Draft02, [][]byte{first, first}, "twice"},
		{"parameters twice on qmux-01", qmux.Draft01, [][]byte{first, first}, "twice"},
		{"records too small", qmux.Draft02, [][]byte{small.Append(nil)}, "max_record_size"},
		{"a ping number repeated", qmux.Draft02, [][]byte{first, join(qmux.Ping{Sequence: 5}), join(qmux.Ping{Sequence: 5})}, "ping 5 after 5"},
		{"an answer nobody asked for", qmux.Draft02, [][]byte{first, join(qmux.Pong{})}, "was not sent"},
		{"a unidirectional stream of ours", qmux.Draft02, [][]byte{first, join(data(3, 0, 1))}, "not the peer's to write"},
		{"a reset of one of ours", qmux.Draft02, [][]byte{first, join(qmux.ResetStream{ID: 3})}, "not the peer's to write"},
		{"a bidirectional stream we have not opened", qmux.Draft02, [][]byte{first, join(data(1, 0, 1))}, "not the peer's to write"},
		{"too many unidirectional streams", qmux.Draft02, [][]byte{first, join(data(2+4*streamSlots, 0, 1))}, "stream limit exceeded"},
		{"too many bidirectional streams", qmux.Draft02, [][]byte{first, join(data(4*streamSlots, 0, 1))}, "stream limit exceeded"},
		{"RESET_STREAM_AT", qmux.Draft02, [][]byte{first, join(qmux.ResetStream{ID: 2, At: true})}, "RESET_STREAM_AT"},
		{"RESET_STREAM_AT on qmux-01", qmux.Draft01, [][]byte{first, join(qmux.ResetStream{ID: 2, At: true})}, "RESET_STREAM_AT"},
		{"a gap", qmux.Draft02, [][]byte{first, join(data(2, 77, 1))}, "offset 77"},
		{"a final size above the window", qmux.Draft02, [][]byte{first, join(qmux.ResetStream{ID: 2, FinalSize: streamWindow + 1})}, "flow control error"},
		{"more than the stream's window", qmux.Draft02, append(slices.Clone(window), join(data(2, streamWindow, 1))), "flow control error"},
		{"more than the connection's window", qmux.Draft02, append(slices.Clone(all), join(data(4, 0, 1))), "flow control error"},
		{"a final size above the connection's window", qmux.Draft02, append(slices.Clone(all), join(qmux.ResetStream{ID: 4, FinalSize: 1})), "flow control error"},
		{"a datagram", qmux.Draft02, [][]byte{first, join(qmux.Datagram{Payload: []byte{1}})}, "datagrams were not offered"},
		{"a datagram to the end", qmux.Draft01, [][]byte{first, join(qmux.Datagram{Rest: true})}, "datagrams were not offered"},
		{"a record too long", qmux.Draft02, [][]byte{first, make([]byte, qmux.MaxRecord+1)}, "above 16382"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil)
			p := s.stranger(t, tt.version.Subprotocol("moq-lite-05"))
			defer p.leave()
			p.send(tt.records...)
			f := p.until(is[qmux.ConnectionClose]).(qmux.ConnectionClose)
			if f.Code != qmux.CodeViolation || !strings.Contains(f.Reason, tt.reason) {
				t.Errorf("closed with %+v", f)
			}
			if _, _, err := p.ws.Read(within(t)); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
				t.Errorf("then %v", err)
			}
			var cause error
			select {
			case cause = <-s.refused:
			case c := <-s.accepted:
				<-c.Context().Done()
				cause = c.Cause()
				c.Wait()
			}
			var broken *TransportError
			if !errors.As(cause, &broken) || broken.Remote || broken.Code != qmux.CodeViolation {
				t.Errorf("cause %v", cause)
			}
		})
	}
}

// TestMalformedRecordsEndASession sends what the vectors say is no frame.
func TestMalformedRecordsEndASession(t *testing.T) {
	b, err := os.ReadFile("../../testdata/qmux.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Malformed []struct{ ID, Hex, Why string }
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors.Malformed {
		t.Run(v.Why, func(t *testing.T) {
			bad, err := hex.DecodeString(v.Hex)
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, nil)
			p := s.stranger(t, "qmux-02.moq-lite-05")
			defer p.leave()
			p.say(browser)
			c := s.server(t)
			p.send(bad)
			if bytes.HasPrefix(bad, []byte{0x1d}) { // a close is one, however garbled
				<-c.Context().Done()
				if !errors.Is(c.Cause(), &session.ClosedError{Code: 0}) {
					t.Errorf("cause %v", c.Cause())
				}
				return
			}
			if f := p.until(is[qmux.ConnectionClose]).(qmux.ConnectionClose); f.Code != qmux.CodeViolation {
				t.Errorf("closed with %+v", f)
			}
		})
	}
}

func TestTextEndsASession(t *testing.T) {
	s := open(t, nil)
	p := s.stranger(t, "qmux-02.moq-lite-05")
	defer p.leave()
	p.say(browser)
	c := s.server(t)
	if err := p.ws.Write(within(t), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if f := p.until(is[qmux.ConnectionClose]).(qmux.ConnectionClose); f.Code != qmux.CodeText {
		t.Errorf("closed with %+v", f)
	}
	<-c.Context().Done()
	var broken *TransportError
	if !errors.As(c.Cause(), &broken) || broken.Code != qmux.CodeText {
		t.Errorf("cause %v", c.Cause())
	}
}

// TestWhatASessionSurvives sends what looks wrong and is not.
func TestWhatASessionSurvives(t *testing.T) {
	first := browser.Append(nil)
	tests := []struct {
		name    string
		version qmux.Version
		records [][]byte
	}{
		{"padding before the parameters", qmux.Draft02, [][]byte{append([]byte{0}, first...)}},
		{"an empty message", qmux.Draft02, [][]byte{first, {}}},
		{"ping numbers repeated on qmux-01", qmux.Draft01, [][]byte{first, join(qmux.Ping{Sequence: 5}), join(qmux.Ping{Sequence: 5})}},
		{"an answer nobody asked for on qmux-01", qmux.Draft01, [][]byte{first, join(qmux.Pong{})}},
		{"the last stream first", qmux.Draft02, [][]byte{first, join(qmux.Stream{ID: 2 + 4*(streamSlots-1)})}},
		{"limits lower than before", qmux.Draft02, [][]byte{first, join(qmux.MaxData{Max: 5}, qmux.MaxStreams{Max: 1}, qmux.MaxStreams{Uni: true, Max: 1})}},
		{"a final size below what came", qmux.Draft02, [][]byte{first, join(qmux.Stream{ID: 2, Data: make([]byte, 10)}, qmux.ResetStream{ID: 2, Code: 9})}},
		{"a reset of a stream that was never seen", qmux.Draft02, [][]byte{first, join(qmux.ResetStream{ID: 2})}},
		{"stops and limits of streams that are not", qmux.Draft02, [][]byte{first, join(qmux.StopSending{ID: 3}, qmux.StopSending{ID: 400}, qmux.MaxStreamData{ID: 9, Max: 1})}},
		{"blocked", qmux.Draft02, [][]byte{first, join(qmux.Blocked{}, qmux.Blocked{What: qmux.BlockedOnStream}, qmux.Blocked{What: qmux.BlockedOnStreamsBidi}, qmux.Blocked{What: qmux.BlockedOnStreamsUni})}},
		{"data without an offset", qmux.Draft01, [][]byte{first, {0x0a, 0x02, 0x02, 0xaa, 0xbb}, {0x0b, 0x02, 0x00}}},
		{"data behind the end", qmux.Draft02, [][]byte{first, join(qmux.Stream{ID: 2, FIN: true}, qmux.Stream{ID: 2, Data: []byte{1}}, qmux.ResetStream{ID: 2})}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil)
			p := s.stranger(t, tt.version.Subprotocol("moq-lite-05"))
			defer p.leave()
			p.send(tt.records...)
			p.say(qmux.Ping{Sequence: 77})
			p.until(func(f qmux.Frame) bool { return f == qmux.Pong{Sequence: 77} })
			if c := s.server(t); c.Context().Err() != nil {
				t.Errorf("ended: %v", c.Cause())
			}
		})
	}
}

func TestClosing(t *testing.T) {
	t.Run("by the peer", func(t *testing.T) {
		client, server := pair(t, nil)
		_ = client.CloseWithError(protocol.CodeUnauthorized, "no")
		<-server.Context().Done()
		want := session.ClosedError{Code: protocol.CodeUnauthorized, Reason: "no", Remote: true}
		var got *session.ClosedError
		if !errors.As(server.Cause(), &got) || *got != want {
			t.Errorf("cause %v", server.Cause())
		}
		if _, err := server.AcceptStream(within(t)); !errors.Is(err, session.ErrClosed) {
			t.Errorf("AcceptStream: %v", err)
		}
		if _, err := server.OpenUniStream(); !errors.Is(err, session.ErrClosed) {
			t.Errorf("OpenUniStream: %v", err)
		}
	})
	t.Run("with a reason too long", func(t *testing.T) {
		client, server := pair(t, nil)
		_ = server.CloseWithError(3, strings.Repeat("é", 1000))
		<-client.Context().Done()
		var got *session.ClosedError
		if !errors.As(client.Cause(), &got) || len(got.Reason) != qmux.MaxReason || got.Code != 3 {
			t.Errorf("cause %v", client.Cause())
		}
	})
	t.Run("by a violation", func(t *testing.T) {
		client, server := pair(t, nil)
		server.mu.Lock()
		server.say(qmux.Datagram{})
		server.mu.Unlock()
		<-server.Context().Done()
		var got *TransportError
		if !errors.As(server.Cause(), &got) || !got.Remote || got.Code != qmux.CodeViolation {
			t.Errorf("cause %v", server.Cause())
		}
		<-client.Context().Done()
	})
	t.Run("without a word", func(t *testing.T) {
		s := open(t, nil)
		p := s.stranger(t, "qmux-02.moq-lite-05")
		p.say(browser)
		c := s.server(t)
		_ = p.ws.CloseNow()
		<-c.Context().Done()
		if c.Cause() == nil || errors.As(c.Cause(), new(*session.ClosedError)) {
			t.Errorf("cause %v", c.Cause())
		}
	})
}
