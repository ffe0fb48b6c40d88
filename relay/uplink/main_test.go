package uplink

import (
	"context"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/internal/testnet"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a session with another relay, which ends with the test.
func open(t *testing.T) *session.Session {
	t.Helper()
	near, far := testnet.Pair(t, "quic")
	here, there := session.New(near, session.Config{}), session.New(far, session.Config{})
	var tasks sync.WaitGroup
	for _, s := range []*session.Session{here, there} {
		tasks.Go(func() { _ = s.Run(context.Background()) })
	}
	t.Cleanup(func() {
		here.Close(0, "")
		tasks.Wait()
	})
	return here
}

// idle is a session that nobody runs: alive, and without a goroutine, so that it
// may be looked at from within a bubble.
func idle() *session.Session { return session.New(&quiet{}, session.Config{}) }

// quiet is a connection over which nothing ever comes.
type quiet struct{ session.Conn }

func (*quiet) Context() context.Context  { return context.Background() }
func (*quiet) Version() protocol.Version { return protocol.Lite05 }
