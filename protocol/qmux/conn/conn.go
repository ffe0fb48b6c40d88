package conn

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/qmux"
	"github.com/stentor-audio/stentor/protocol/session"
)

// What we allow a peer, and how long it may take (docs/wire.md, section 20).
const (
	streamWindow = 256 << 10
	connWindow   = 8 << 20
	streamSlots  = 1024

	idleTimeout   = 30 * time.Second
	parametersFor = 10 * time.Second
	// pingEvery is far below the idle timeout of 30 s: a busy JavaScript publisher
	// does not ping, and drops the session of a relay that is silent.
	pingEvery = 5 * time.Second
	// stalledFor is how long a peer may take nothing of what is to be written.
	stalledFor = 10 * time.Second
	// lingerFor is how long a close frame and the WebSocket's own close may take.
	lingerFor = time.Second
)

// Options say what was agreed on before the first record.
type Options struct {
	// Client says that this end opened the WebSocket.
	Client bool
	// Version and Protocol are what the subprotocol chose; see [qmux.Select].
	Version  qmux.Version
	Protocol protocol.Version
	// Path is the request's, with its query.
	Path string
	// Socket is what lies under the WebSocket, for its addresses and to keep what
	// it holds back small. Nil is unknown.
	Socket net.Conn
}

// A Conn is one WebSocket with a session's streams on it. It is a
// [session.Conn]. [Accept] and
// [Dial] make it; CloseWithError ends it, and Wait must follow.
type Conn struct {
	// Set before anything runs, constant afterwards.
	ws      *websocket.Conn
	opts    Options
	ctx     context.Context
	cancel  context.CancelCauseFunc
	reading context.Context // of the socket; its end closes it
	hangUp  context.CancelFunc
	wake    chan struct{} // for the writer
	known   chan struct{} // closed once peer is
	tasks   sync.WaitGroup

	mu    sync.Mutex
	peer  qmux.Parameters // what it allows us
	cause error           // why the connection is over
	cut   bool            // and nothing more is to be written
	timer *time.Timer     // the next tick

	// Streams, by id.
	sending   map[uint64]*sendStream
	receiving map[uint64]*receiveStream
	incoming  [2]slots    // opened by the peer
	arrived   [2]arrivals // of them, those nobody has accepted yet
	outgoing  [2]opener   // opened here

	// What is to be written.
	control []byte // frames about the connection, first
	queues  [2]queue
	writing time.Time // since when the socket has been taking a record; zero: it has not
	blocked time.Time // since when the peer's connection window has been used up

	// Flow control of all streams together.
	window window
	sent   uint64

	// Pings and what they tell.
	received time.Time // when the last message came
	nextPing uint64
	pingedAt time.Time
	peerPing uint64 // the lowest number its next ping may have
	stats    session.Stats
}

// Streams are bidirectional or unidirectional; arrays have one entry for each.
const (
	bidi = 0
	uni  = 1
)

// kind says which of the two a stream id is of.
func kind(id uint64) int { return int(id >> 1 & 1) }

// An opener counts the streams that this end opens.
type opener struct {
	next, limit uint64
	raised      chan struct{} // closed when limit is; nil while nobody waits
}

// newConn makes a connection that start brings to life.
func newConn(o Options) *Conn {
	c := &Conn{
		opts:      o,
		wake:      make(chan struct{}, 1),
		known:     make(chan struct{}),
		sending:   make(map[uint64]*sendStream),
		receiving: make(map[uint64]*receiveStream),
		window:    newWindow(connWindow),
		control:   ours().Append(nil),
	}
	for kind := range c.incoming {
		c.incoming[kind] = newSlots(streamSlots)
		c.arrived[kind].wake = make(chan struct{}, 1)
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.reading, c.hangUp = context.WithCancel(context.Background())
	return c
}

// start runs the session over ws and waits for the peer's parameters. With an
// error, ws is closed.
func (c *Conn) start(ctx context.Context, ws *websocket.Conn) error {
	c.ws = ws
	c.received = time.Now()
	ws.SetReadLimit(-1) // read has its own
	c.tasks.Go(c.read)
	c.tasks.Go(c.write)
	if err := c.awaitParameters(ctx); err != nil {
		c.Wait()
		return fmt.Errorf("qmux: %w", err)
	}
	return nil
}

// ours are the parameters we send.
func ours() qmux.Parameters {
	return qmux.Parameters{
		MaxIdleTimeout:          uint64(idleTimeout / time.Millisecond),
		MaxData:                 connWindow,
		MaxStreamDataBidiLocal:  streamWindow,
		MaxStreamDataBidiRemote: streamWindow,
		MaxStreamDataUni:        streamWindow,
		MaxStreamsBidi:          streamSlots,
		MaxStreamsUni:           streamSlots,
		MaxRecord:               qmux.MaxRecord,
	}
}

func (c *Conn) awaitParameters(ctx context.Context) error {
	ctx, stop := context.WithTimeoutCause(ctx, parametersFor, ErrNoParameters)
	defer stop()
	select {
	case <-c.known:
	case <-c.ctx.Done():
	case <-ctx.Done():
		c.mu.Lock()
		c.abort(context.Cause(ctx))
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.timer = time.AfterFunc(pingEvery, c.tick)
	}
	return c.cause
}

// Wait waits until the socket is closed and nothing runs any more.
func (c *Conn) Wait() { c.tasks.Wait() }

// CloseWithError implements [session.Conn]. The peer is told within a second, or
// not at all.
func (c *Conn) CloseWithError(code protocol.ResetCode, reason string) error {
	reason = shorten(reason)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(&session.ClosedError{Code: code, Reason: reason}, qmux.ApplicationClose{Code: uint64(code), Reason: reason})
	return nil
}

func shorten(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), qmux.MaxReason)], "")
}

// violated ends the connection because the peer broke a rule.
func (c *Conn) violated(err *TransportError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(err, qmux.ConnectionClose{Code: err.Code, Reason: shorten(err.Reason)})
}

// abort ends the connection without another word. The caller holds c.mu.
func (c *Conn) abort(cause error) {
	if c.cause == nil {
		c.cut = true
		c.end(cause, nil)
	}
}

// end ends the connection; the first cause counts. last, if there is one, and the
// WebSocket's close still go out; after a second, or at once if it is cut, the
// socket is closed. The caller holds c.mu.
func (c *Conn) end(cause error, last qmux.Frame) {
	if c.cause != nil {
		return
	}
	c.cause = cause
	if c.timer != nil {
		c.timer.Stop()
	}
	c.queues = [2]queue{}
	for _, s := range c.sending {
		s.fail(cause)
	}
	for _, s := range c.receiving {
		s.fail(cause)
	}
	if last != nil {
		c.control = last.Append(c.control)
	}
	c.cancel(cause)
	if c.cut {
		c.hangUp()
	} else {
		linger := time.AfterFunc(lingerFor, c.hangUp)
		context.AfterFunc(c.reading, func() { linger.Stop() })
	}
	poke(c.wake)
}
