package conn

import (
	"testing"

	"github.com/coder/websocket"

	"github.com/stentor-audio/stentor/protocol/qmux"
)

// FuzzSession feeds a connection what a stranger may send behind its parameters.
// Whatever it is, the books must balance.
func FuzzSession(f *testing.F) {
	f.Add(join(qmux.Stream{ID: 2, Data: []byte("abc"), FIN: true}, qmux.Stream{ID: 10, Data: []byte("d")}))
	f.Add(join(qmux.Stream{ID: 0, Data: []byte("abc")}, qmux.ResetStream{ID: 0, FinalSize: 9}, qmux.StopSending{ID: 0, Code: 7}))
	f.Add(join(qmux.MaxData{Max: 1 << 61}, qmux.MaxStreams{Max: 1 << 61}, qmux.MaxStreamData{ID: 1, Max: 1 << 61}, qmux.StopSending{ID: 1}))
	f.Add(join(qmux.Ping{Sequence: 1<<62 - 1}, qmux.Ping{Sequence: 3}, qmux.Pong{Sequence: 3}))
	f.Fuzz(func(t *testing.T, record []byte) {
		c := newConn(Options{Version: qmux.Draft02})
		defer c.hangUp()
		if err := c.parameters(browser); err != nil {
			t.Fatal(err)
		}
		_, _ = c.OpenUniStream()
		s, _, err := c.tryOpen()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte("request"))
		c.mu.Lock()
		err = c.record(websocket.MessageBinary, record)
		c.mu.Unlock()
		c.gather(nil)
		if err != nil || c.cause != nil {
			return
		}
		for kind, q := range c.arrived {
			for range q.streams {
				s, err := c.accept(t.Context(), kind)
				if err != nil {
					t.Fatal(err)
				}
				s.CancelRead(0)
				if s.sendStream != nil {
					s.CancelWrite(0)
				}
			}
		}
		s.CancelRead(0)
		if c.window.consumed != c.window.received || c.window.limit < c.window.received {
			t.Fatalf("%d bytes came, %d were given back, %d allowed", c.window.received, c.window.consumed, c.window.limit)
		}
		for kind, q := range c.queues {
			if q.bytes != 0 {
				t.Fatalf("%d bytes of kind %d wait for ever", q.bytes, kind)
			}
		}
		for kind, s := range c.incoming {
			if open := s.next - uint64(len(s.unseen)); s.limit > streamSlots+open {
				t.Fatalf("%d streams of kind %d allowed, %d came", s.limit, kind, open)
			}
		}
	})
}
