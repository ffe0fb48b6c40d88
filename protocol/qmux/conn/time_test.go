package conn

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

// The tests below run under a fake clock.

func TestParametersThatDoNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, newPipes())
		start := time.Now()
		p := s.stranger(t, "qmux-02.moq-lite-05")
		defer p.leave()
		go p.drain()
		if err := <-s.refused; !errors.Is(err, ErrNoParameters) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestAPeerThatIsSilent(t *testing.T) {
	for _, tt := range []struct {
		timeout uint64 // the peer's
		ends    time.Duration
	}{{0, 30 * time.Second}, {12000, 12 * time.Second}, {1 << 61, 30 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, newPipes())
			p := s.stranger(t, "qmux-02.moq-lite-05")
			defer p.leave()
			go p.drain()
			hello := browser
			hello.MaxIdleTimeout = tt.timeout
			p.say(hello)
			c := s.server(t)
			start := time.Now()
			<-c.Context().Done()
			if !errors.Is(c.Cause(), ErrIdle) || time.Since(start) != tt.ends {
				t.Errorf("%v after %v, want %v", c.Cause(), time.Since(start), tt.ends)
			}
		})
	}
}

// TestPings: one each five seconds, and the answers keep the session.
func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, newPipes())
		p := s.stranger(t, "qmux-02.moq-lite-05")
		defer p.leave()
		p.say(browser)
		c := s.server(t)
		for i := range 20 {
			start := time.Now()
			f := p.until(is[qmux.Ping]).(qmux.Ping)
			if f.Sequence != uint64(i) || i > 0 && time.Since(start) != 5*time.Second-30*time.Millisecond {
				t.Errorf("ping %d after %v", f.Sequence, time.Since(start))
			}
			time.Sleep(30 * time.Millisecond)
			p.say(qmux.Pong(f))
		}
		synctest.Wait()
		if rtt := c.Stats().RTT; rtt != 30*time.Millisecond {
			t.Errorf("round trip %v", rtt)
		}
		if c.Context().Err() != nil {
			t.Errorf("ended: %v", c.Cause())
		}
	})
}

// TestAPeerThatDoesNotRead is cut off, whatever it sends meanwhile.
func TestAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, newPipes())
		p := s.stranger(t, "qmux-02.moq-lite-05")
		defer p.leave()
		p.say(browser)
		c := s.server(t)
		p.until(is[qmux.Parameters])
		w, err := c.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := w.Write(pattern(100)); err != nil {
			t.Fatal(err)
		}
		for i := 0; c.Context().Err() == nil; i++ {
			time.Sleep(time.Second)
			if c.Context().Err() == nil {
				p.say(qmux.Blocked{})
			}
			if i > 60 {
				t.Fatal("still there")
			}
		}
		if took := time.Since(start); !errors.Is(c.Cause(), ErrStalled) || took > 15*time.Second+time.Second {
			t.Errorf("%v after %v", c.Cause(), took)
		}
		if _, err := w.Write(pattern(1)); err == nil {
			t.Error("it still takes bytes")
		}
	})
}

// TestAPeerThatAsksMoreThanItReads may not have us keep all the answers.
func TestAPeerThatAsksMoreThanItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, newPipes())
		p := s.stranger(t, "qmux-02.moq-lite-05")
		defer p.leave()
		p.say(browser)
		c := s.server(t)
		p.until(is[qmux.Parameters])
		for i := uint64(0); c.Context().Err() == nil && i < 100; i++ {
			var b []byte
			for n := range uint64(100) {
				b = qmux.Ping{Sequence: 100*i + n}.Append(b)
			}
			_ = p.ws.Write(t.Context(), 2, b)
			synctest.Wait()
		}
		if !errors.Is(c.Cause(), ErrStalled) {
			t.Errorf("ended by %v", c.Cause())
		}
	})
}

// TestAPeerThatGivesNoWindow: what a JavaScript client loses of its window for
// good may leave none.
func TestAPeerThatGivesNoWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, newPipes())
		p := s.stranger(t, "qmux-02.moq-lite-05")
		defer p.leave()
		tight := browser
		tight.MaxData = 50
		p.say(tight)
		c := s.server(t)
		w, err := c.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(pattern(100)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		f := p.until(is[qmux.ApplicationClose]).(qmux.ApplicationClose)
		if took := time.Since(start); f.Code != uint64(protocol.CodeTimeout) || took < 10*time.Second || took > 15*time.Second {
			t.Errorf("%+v after %v", f, took)
		}
		if !errors.Is(c.Cause(), ErrStalled) {
			t.Errorf("cause %v", c.Cause())
		}
	})
}

// TestCloseDoesNotWaitForWhoDoesNotRead takes a second at most.
func TestCloseDoesNotWaitForWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, newPipes())
		p := s.stranger(t, "qmux-02.moq-lite-05")
		defer p.leave()
		p.say(browser)
		c := s.server(t)
		start := time.Now()
		_ = c.CloseWithError(protocol.CodeCancel, "")
		if c.Context().Err() == nil {
			t.Error("not ended at once")
		}
		c.Wait()
		if took := time.Since(start); took > time.Second {
			t.Errorf("closed after %v", took)
		}
		if !errors.Is(c.Cause(), &session.ClosedError{Code: protocol.CodeCancel}) {
			t.Errorf("cause %v", c.Cause())
		}
	})
}
