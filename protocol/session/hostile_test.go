package session_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/internal/testnet"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// TestHostileStreamsCostOnlyThemselves writes nonsense on streams and checks
// that each is reset while the session goes on serving.
func TestHostileStreamsCostOnlyThemselves(t *testing.T) {
	long := make([]byte, 70_000)
	tests := []struct {
		name string
		wire []byte
		fin  bool
		code protocol.ResetCode
	}{
		{"unknown type", []byte{0x3f}, false, protocol.CodeUnexpectedStream},
		{"group stream both ways", []byte{0x00}, false, protocol.CodeUnexpectedStream},
		{"old setup", []byte{0x20}, false, protocol.CodeUnexpectedStream},
		{"subscribe cut short", []byte{0x02, 0x21, 0x00, 0x0f}, true, protocol.CodeDecode},
		{"type cut short", []byte{0xc0}, true, protocol.CodeDecode},
		{"message above 64 KiB", append([]byte{0x02, 0x80, 0x01, 0x11, 0x70}, long...), false, protocol.CodeDecode},
		{"body longer than its fields", []byte{0x05, 0x02, 0x00, 0x00}, false, protocol.CodeDecode},
		{"announce with garbage behind", []byte{0x01, 0x02, 0x00, 0x00, 0xff, 0xff, 0xff}, true, protocol.CodeDecode},
		{"path of 33 segments", append([]byte{0x01, 0x40, 0x43, 0x40, 0x40}, []byte("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/a/b/c/d/e/f/g\x00")...), false, protocol.CodeDecode},
	}
	eachTransport(t, func(t *testing.T, transport string) {
		c, s := testnet.Pair(t, transport)
		run(t, s, session.Config{Publisher: stage{
			track: func(context.Context, protocol.TrackRequest) (protocol.TrackInfo, error) {
				return protocol.TrackInfo{Timescale: 1}, nil
			},
			announce: func(ctx context.Context, w *session.AnnounceWriter) error {
				<-ctx.Done()
				return nil
			},
		}})
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				stream, err := c.OpenStream(within(t))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = stream.Write(tt.wire) // may be stopped while it is written
				if tt.fin {
					_ = stream.Close()
				}
				_ = stream.SetReadDeadline(time.Now().Add(10 * time.Second))
				_, err = io.ReadAll(stream)
				if !errors.Is(err, &session.ResetError{Code: tt.code}) {
					t.Errorf("answer %v, want reset with %v", err, tt.code)
				}
			})
		}
		client := run(t, c, session.Config{})
		if _, err := client.TrackInfo(within(t), "b", "t"); err != nil {
			t.Errorf("the session no longer serves: %v", err)
		}
	})
}

func TestDribbledRequestIsCutOff(t *testing.T) {
	c, s := testnet.Pair(t, "quic")
	run(t, s, session.Config{RequestTimeout: 50 * time.Millisecond})
	stream, err := c.OpenStream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write([]byte{0x02}); err != nil { // and never the rest
		t.Fatal(err)
	}
	_ = stream.SetReadDeadline(time.Now().Add(10 * time.Second))
	var reset *session.ResetError
	if _, err := io.ReadAll(stream); !errors.As(err, &reset) {
		t.Errorf("answer %v, want a reset", err)
	}
}

func TestDatagramsForNobodyAreIgnored(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport string) {
		if transport == "websocket" {
			t.Skip("carries none")
		}
		client, server := pair(t, transport, stage{subscribe: func(ctx context.Context, sub *session.Subscriber) error {
			for _, body := range [][]byte{
				nil, {0xff}, {0xc0, 1}, // not a datagram of ours
				protocol.Datagram{SubscribeID: 999, Sequence: 1}.Append(nil), // unknown
				protocol.Datagram{SubscribeID: sub.Request.ID, Sequence: 8, Payload: make([]byte, 1100)}.Append(nil),
			} {
				if err := sub.SendDatagram(body); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return nil
		}})
		in := newInbox()
		if _, err := client.Subscribe(within(t), protocol.Subscribe{Broadcast: "b", Track: "t"}, in); err != nil {
			t.Fatal(err)
		}
		in.wait(t, 1)
		if len(in.frames) != 1 || len(in.frames[8]) != 1 {
			t.Errorf("frames %v, want group 8 alone", in.frames)
		}
		if server.Context().Err() != nil {
			t.Error("the session ended")
		}
	})
}

func TestGroupsForNobodyAreStopped(t *testing.T) {
	c, s := testnet.Pair(t, "quic")
	client := run(t, c, session.Config{})
	stream, err := s.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	b := protocol.StreamGroup.Append(nil)
	b = protocol.GroupHeader{SubscribeID: 5, Sequence: 1}.Append(b)
	if _, err := stream.Write(b); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stream.Context().Done():
	case <-time.After(10 * time.Second):
		t.Error("the stream was not stopped")
	}
	if client.Context().Err() != nil {
		t.Error("the session ended")
	}
}

func TestRequestsAboveTheLimitAreRefused(t *testing.T) {
	c, s := testnet.Pair(t, "quic")
	run(t, s, session.Config{MaxRequests: 2, Publisher: stage{announce: func(ctx context.Context, w *session.AnnounceWriter) error {
		if err := w.Initial(1, nil); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}}})
	client := run(t, c, session.Config{})
	for range 2 {
		a, err := client.Announced(within(t), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Initial(); err != nil {
			t.Fatal(err)
		}
	}
	a, err := client.Announced(within(t), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Initial(); !errors.Is(err, &session.ResetError{Code: protocol.CodeBounds}) {
		t.Errorf("third request: %v, want a reset with %v", err, protocol.CodeBounds)
	}
}

func TestBrokenSetupEndsTheSession(t *testing.T) {
	c, s := testnet.Pair(t, "quic")
	run(t, s, session.Config{})
	stream, err := c.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write([]byte{0x01, 0x04, 0x01, 0x01, 0x02, 0x40}); err != nil {
		t.Fatal(err)
	}
	_ = stream.Close()
	select {
	case <-c.Context().Done():
	case <-time.After(10 * time.Second):
		t.Error("the session goes on without knowing what the peer can")
	}
}
