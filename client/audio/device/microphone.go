//go:build cgo

package device

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gen2brain/malgo"
)

// A Microphone is the system's default one, open and recording. Read belongs to
// one goroutine; Close and the counters to any.
type Microphone struct {
	cfg  Config
	card *card
	ring *ring
	lost atomic.Uint64
	once sync.Once
}

// OpenMicrophone begins to record. Its errors say what to do about them; those
// that wrap [ErrNone] mean that there is no microphone.
func OpenMicrophone(cfg Config) (*Microphone, error) {
	cfg, err := cfg.withDefaults(100 * time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("microphone: %w", err)
	}
	m := &Microphone{cfg: cfg, ring: newRing(cfg.samples())}
	record := func(pcm []float32) { m.lost.Add(uint64(m.ring.push(pcm))) }
	stopped := func() { m.ring.close(ErrGone) }
	if m.card, err = openCard(malgo.Capture, cfg, record, stopped); err != nil {
		return nil, wrap("microphone", err)
	}
	return m, nil
}

// Channels is how many channels the PCM has.
func (m *Microphone) Channels() int { return m.cfg.Channels }

// Read waits until there is anything to read and fills dst with as much of it as
// fits: whole frames, from -1 to 1. It returns [ErrClosed] after Close and
// [ErrGone] if the microphone was taken away.
func (m *Microphone) Read(dst []float32) (int, error) {
	dst = dst[:len(dst)-len(dst)%m.cfg.Channels]
	for len(dst) > 0 {
		if n, err := m.ring.take(dst); n > 0 || err != nil {
			return n, wrap("microphone", err)
		}
		<-m.ring.changed
	}
	return 0, nil
}

// Lost is how much sound was left out because nobody read it in time.
func (m *Microphone) Lost() time.Duration {
	return time.Duration(m.lost.Load()) * time.Second / time.Duration(Rate*m.cfg.Channels)
}

// Close stops recording and waits until the card has let go.
func (m *Microphone) Close() error {
	m.once.Do(func() {
		m.ring.close(ErrClosed)
		m.card.close()
	})
	return nil
}

func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
