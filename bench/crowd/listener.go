package crowd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A listener is one connection.
type listener struct {
	number int
	o      *Options
	conn   session.Conn
	asked  session.Stream // of the subscription
}

// join connects, subscribes and waits for the first audio.
func (l *listener) join(ctx context.Context, d *dialer) error {
	ctx, stop := context.WithTimeoutCause(ctx, l.o.Patience, errPatience)
	defer stop()
	conn, err := d.dial(ctx, l.number)
	if err != nil {
		return fmt.Errorf("connect: %w", cause(ctx, err))
	}
	l.conn = conn
	if err := l.ask(ctx); err != nil {
		return fmt.Errorf("subscribe: %w", cause(ctx, err))
	}
	ctx, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	defer l.watch(refuse)()
	for {
		b, err := conn.ReceiveDatagram(ctx)
		if err != nil {
			return fmt.Errorf("first audio: %w", l.why(ctx, err))
		}
		if l.take(b) {
			return nil
		}
	}
}

// watch waits for the relay to refuse the subscription, or to end it, until the
// function that it returns is called.
func (l *listener) watch(refuse context.CancelCauseFunc) (stop func()) {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for b := make([]byte, 256); ; { // SUBSCRIBE_OK and the like
			_, err := l.asked.Read(b)
			var reset *session.ResetError
			switch {
			case err == nil:
				continue
			case errors.As(err, &reset):
				refuse(reset)
			case errors.Is(err, io.EOF):
				refuse(errOver)
			}
			return
		}
	}()
	return func() {
		_ = l.asked.SetReadDeadline(time.Now())
		<-watched
	}
}

// errOver says that a track ended before anything of it came.
var errOver = errors.New("the relay says that the track has ended")

// errPatience says that nothing came for too long.
var errPatience = errors.New("nothing came in time")

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ask sends SETUP and SUBSCRIBE.
func (l *listener) ask(ctx context.Context) error {
	setup := protocol.Setup{Role: protocol.RoleSubscriber, Datagrams: true}
	if _, carried := l.conn.Path(); !carried {
		setup.Path = l.o.Path
	}
	uni, err := l.conn.OpenUniStream()
	if err != nil {
		return err
	}
	if _, err := uni.Write(setup.Append(protocol.StreamSetup.Append(nil))); err != nil {
		return err
	}
	if err := uni.Close(); err != nil {
		return err
	}
	if l.asked, err = l.conn.OpenStream(ctx); err != nil {
		return err
	}
	ask := protocol.Subscribe{
		ID:        subscribeID,
		Broadcast: l.o.Broadcast,
		Track:     l.o.Track,
		Delivery:  protocol.Delivery{Priority: 80, MaxLatency: 1000},
	}
	_, err = l.asked.Write(ask.Append(protocol.StreamSubscribe.Append(nil)))
	return err
}

// subscribeID of the only subscription of a session.
const subscribeID = 0

// why finds out why no audio comes: the relay may have closed the session, or
// refused the subscription.
func (l *listener) why(ctx context.Context, err error) error {
	if cause := l.conn.Cause(); cause != nil {
		return cause
	}
	return cause(ctx, err)
}

// take hands a datagram on and reports whether it was audio.
func (l *listener) take(b []byte) bool {
	at := time.Now()
	d, err := protocol.ParseDatagram(b)
	if err != nil || d.SubscribeID != subscribeID {
		return false
	}
	l.o.Arrived(l.number, d, at)
	return true
}

// listen takes datagrams until life or the connection ends, and says why the
// latter did.
func (l *listener) listen(life context.Context) error {
	defer l.close()
	defer context.AfterFunc(life, l.close)()
	ctx := l.conn.Context()
	for {
		b, err := l.conn.ReceiveDatagram(ctx)
		if err != nil {
			if cause := l.conn.Cause(); cause != nil {
				return cause
			}
			return err
		}
		l.take(b)
	}
}

// close ends the connection, if there is one.
func (l *listener) close() {
	if l.conn != nil {
		_ = l.conn.CloseWithError(protocol.CodeCancel, "")
	}
}
