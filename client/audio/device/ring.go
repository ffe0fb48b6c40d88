package device

import "sync"

// A ring holds samples between the thread of the sound card, which must never
// wait, and a goroutine, which may. Positions are in samples of any channel; only
// whole frames go in and out.
type ring struct {
	mu      sync.Mutex
	buf     []float32
	start   int           // of what is held
	held    int           // samples
	err     error         // why no more will come or go
	changed chan struct{} // has a token if anything changed since it was taken
}

func newRing(samples int) *ring {
	return &ring{buf: make([]float32, samples), changed: make(chan struct{}, 1)}
}

// put adds as much of pcm as there is room for and says how much that was.
func (r *ring) put(pcm []float32) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(pcm), len(r.buf)-r.held)
	r.add(pcm[:n])
	return n
}

// push adds all of pcm, at the cost of the oldest samples if need be, and says
// how many samples were lost.
func (r *ring) push(pcm []float32) (lost int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if extra := len(pcm) - len(r.buf); extra > 0 {
		pcm, lost = pcm[extra:], extra
	}
	if over := r.held + len(pcm) - len(r.buf); over > 0 {
		r.drop(over)
		lost += over
	}
	r.add(pcm)
	return lost
}

// take moves what is held to dst, as far as it goes, and says how much that was,
// or why nothing more will come.
func (r *ring) take(dst []float32) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(dst), r.held)
	m := copy(dst[:n], r.buf[r.start:])
	copy(dst[m:n], r.buf)
	if n == 0 {
		return 0, r.err
	}
	r.drop(n)
	return n, nil
}

// close says why no more will come or go; the first reason stays.
func (r *ring) close(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.signal()
}

// state is how many samples are held, and why no more will come or go.
func (r *ring) state() (held int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held, r.err
}

func (r *ring) add(pcm []float32) {
	at := (r.start + r.held) % len(r.buf)
	n := copy(r.buf[at:], pcm)
	copy(r.buf, pcm[n:])
	r.held += len(pcm)
	r.signal()
}

func (r *ring) drop(n int) {
	r.start = (r.start + n) % len(r.buf)
	r.held -= n
	r.signal()
}

func (r *ring) signal() {
	select {
	case r.changed <- struct{}{}:
	default: // there is a token already
	}
}
