package echo

import (
	"sync"
	"time"
)

const (
	// againEvery is how often a loop that stays is told again.
	againEvery = time.Second
	// overAfter is how long nothing must have been found of a loop until it is over.
	overAfter = 2 * time.Second
	// lagFor is how much of what was played may wait for the microphone: sound cards
	// take it in larger pieces than it is brought.
	lagFor = 100 * time.Millisecond
	// ducked is the factor of a microphone in a loop: 20 dB less.
	ducked = 0.1
)

// WatchOptions say what becomes of a loop.
type WatchOptions struct {
	// Found is called when a loop is found, and about once a second for as long as it
	// is there; Over when it is no more. They must not block. Nil is for nobody.
	Found func(Loop)
	Over  func()

	// Duck makes the microphone 20 dB quieter while there is a loop.
	Duck bool
}

// A Watch is a [Guard] between a loudspeaker and a microphone that run by clocks of
// their own. Its methods may be called from anywhere.
type Watch struct {
	o WatchOptions

	mu     sync.Mutex
	guard  *Guard
	played []float32 // not beside anything of the microphone's yet
	now    time.Duration
	found  time.Duration // when a loop was last; 0: there is none
	told   time.Duration
	gain   float32
}

// NewWatch makes one that has heard nothing.
func NewWatch(o WatchOptions) *Watch { return &Watch{o: o, guard: New(), gain: 1} }

// Played takes what of the room goes to the loudspeaker: mono, 48 kHz.
func (w *Watch) Played(pcm []float32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.played = append(w.played, pcm...)
	if extra := len(w.played) - samples(lagFor); extra > 0 {
		w.played = w.played[:copy(w.played, w.played[extra:])]
	}
}

// Heard takes what the microphone has brought, mono, 48 kHz, and ducks it if that
// is wished for.
func (w *Watch) Heard(pcm []float32) {
	w.mu.Lock()
	var calls []func()
	for rest := pcm; len(rest) > 0; {
		n := min(len(rest), samples(20*time.Millisecond))
		calls = append(calls, w.hear(rest[:n])...)
		rest = rest[n:]
	}
	w.mu.Unlock()
	for _, call := range calls {
		call()
	}
}

func samples(d time.Duration) int { return int(d * inRate / time.Second) }

// hear takes up to 20 ms and returns what is to be called.
func (w *Watch) hear(near []float32) (calls []func()) {
	far := make([]float32, len(near))
	n := copy(far, w.played)
	w.played = w.played[:copy(w.played, w.played[n:])]
	w.now += time.Duration(len(near)) * time.Second / inRate
	loop, ok := w.guard.Hear(far, near)
	switch {
	case ok:
		if w.found == 0 || w.now-w.told >= againEvery {
			w.told = w.now
			if w.o.Found != nil {
				calls = append(calls, func() { w.o.Found(loop) })
			}
		}
		w.found = w.now
	case w.found != 0 && w.now-w.found > overAfter:
		w.found = 0
		if w.o.Over != nil {
			calls = append(calls, w.o.Over)
		}
	}
	w.duck(near)
	return calls
}

// duck fades the microphone towards how loud it is to be, over 20 ms.
func (w *Watch) duck(near []float32) {
	if !w.o.Duck {
		return
	}
	to := float32(1)
	if w.found != 0 {
		to = ducked
	}
	if w.gain == 1 && to == 1 {
		return
	}
	step := (to - w.gain) / float32(len(near))
	for i := range near {
		w.gain += step
		near[i] *= w.gain
	}
	w.gain = to
}
