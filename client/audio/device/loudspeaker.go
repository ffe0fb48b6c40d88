//go:build cgo

package device

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gen2brain/malgo"
)

// A Loudspeaker is the system's default one, open and playing. Write belongs to
// one goroutine; Close and the counters to any.
type Loudspeaker struct {
	cfg       Config
	card      *card
	ring      *ring
	begun     atomic.Bool // something was written
	underruns atomic.Uint64
	once      sync.Once
}

// OpenLoudspeaker begins to play: silence, until something is written. Its
// errors say what to do about them; those that wrap [ErrNone] mean that there is
// no loudspeaker.
func OpenLoudspeaker(cfg Config) (*Loudspeaker, error) {
	cfg, err := cfg.withDefaults(60 * time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("loudspeaker: %w", err)
	}
	l := &Loudspeaker{cfg: cfg, ring: newRing(cfg.samples())}
	stopped := func() { l.ring.close(ErrGone) }
	if l.card, err = openCard(malgo.Playback, cfg, l.play, stopped); err != nil {
		return nil, wrap("loudspeaker", err)
	}
	return l, nil
}

// play is called by the card's thread with room to fill.
func (l *Loudspeaker) play(room []float32) {
	n, _ := l.ring.take(room)
	clear(room[n:])
	if n < len(room) && l.begun.Load() {
		l.underruns.Add(1)
	}
}

// Channels is how many channels the PCM has.
func (l *Loudspeaker) Channels() int { return l.cfg.Channels }

// Write hands over pcm, whole frames from -1 to 1, and waits until the last of
// it has room in the buffer: whoever writes all the time keeps the pace of the
// card. It returns [ErrClosed] after Close and [ErrGone] if the loudspeaker was
// taken away.
func (l *Loudspeaker) Write(pcm []float32) error {
	if len(pcm)%l.cfg.Channels != 0 {
		return fmt.Errorf("loudspeaker: %d samples for %d channels", len(pcm), l.cfg.Channels)
	}
	for len(pcm) > 0 {
		if _, err := l.ring.state(); err != nil {
			return wrap("loudspeaker", err)
		}
		n := l.ring.put(pcm)
		l.begun.Store(true)
		if pcm = pcm[n:]; len(pcm) > 0 {
			<-l.ring.changed
		}
	}
	return nil
}

// Buffered is how long it takes until what is written now is heard, as far as
// can be known: what waits in the buffer and in the card's own, which is taken
// to be full.
func (l *Loudspeaker) Buffered() time.Duration {
	held, _ := l.ring.state()
	return time.Duration(held)*time.Second/time.Duration(Rate*l.cfg.Channels) + periods*period
}

// Underruns is how often the card found less in the buffer than it needed, since
// the first Write, and played silence instead.
func (l *Loudspeaker) Underruns() uint64 { return l.underruns.Load() }

// Close stops playing, whatever is left in the buffer, and waits until the card
// has let go.
func (l *Loudspeaker) Close() error {
	l.once.Do(func() {
		l.ring.close(ErrClosed)
		l.card.close()
	})
	return nil
}
