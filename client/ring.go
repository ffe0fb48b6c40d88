package client

// ringFrames is how many frames a speaker holds: the five seconds that FETCH and
// a subscription with Group Start can reach back, and a little for their way.
const ringFrames = 256

// A held frame is one packet as it goes out.
type held struct {
	timestamp uint64 // µs
	payload   []byte // legacy container; not changed any more
}

// A ring holds the newest frames of a speaker by sequence.
type ring struct {
	frames [ringFrames]held
	next   uint64 // sequence of the next frame; all below were sent
}

// add appends a frame and returns its sequence.
func (r *ring) add(f held) uint64 {
	seq := r.next
	r.frames[seq%ringFrames] = f
	r.next++
	return seq
}

// oldest is the lowest sequence still held; next if there is none.
func (r *ring) oldest() uint64 {
	if r.next < ringFrames {
		return 0
	}
	return r.next - ringFrames
}

// at returns the frame with a sequence, if it is still held.
func (r *ring) at(seq uint64) (held, bool) {
	if seq < r.oldest() || seq >= r.next {
		return held{}, false
	}
	return r.frames[seq%ringFrames], true
}
