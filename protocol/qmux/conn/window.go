package conn

// A window is how much the peer may send, of one stream or of all: bytes, always
// counted from the beginning (RFC 9000 §4.1).
type window struct {
	size     uint64 // allowed beyond what was consumed
	limit    uint64 // what the peer has been told
	received uint64
	consumed uint64
}

func newWindow(size uint64) window { return window{size: size, limit: size} }

// receive counts bytes that came and reports whether they were allowed.
func (w *window) receive(n uint64) bool {
	if n > w.limit-w.received {
		return false
	}
	w.received += n
	return true
}

// consume counts bytes that were read or thrown away. Once half of the window is
// used up it returns the limit to tell the peer, else false.
func (w *window) consume(n uint64) (limit uint64, raise bool) {
	w.consumed += n
	if w.limit-w.consumed > w.size/2 {
		return 0, false
	}
	w.limit = w.consumed + w.size
	return w.limit, true
}

// slots are the streams of one kind that the peer may open. A stream counts until
// it is over, so there are never more than size.
type slots struct {
	size     uint64
	limit    uint64              // what the peer has been told
	next     uint64              // index of the first stream not opened yet
	unseen   map[uint64]struct{} // opened by a higher one's frame, not used yet
	finished uint64              // since the limit was last raised
}

func newSlots(size uint64) slots { return slots{size: size, limit: size} }

// open takes note of a frame on the stream of an index. It reports whether it is
// the stream's first and whether the limit allows it at all.
func (s *slots) open(index uint64) (first, allowed bool) {
	if index >= s.limit {
		return false, false
	}
	if index < s.next {
		_, first = s.unseen[index]
		delete(s.unseen, index)
		return first, true
	}
	for ; s.next < index; s.next++ {
		if s.unseen == nil {
			s.unseen = make(map[uint64]struct{})
		}
		s.unseen[s.next] = struct{}{}
	}
	s.next++
	return true, true
}

// finish counts a stream that is over.
func (s *slots) finish() { s.finished++ }

// refill returns the limit to tell the peer when it could run out of streams
// before the next one is over, else false.
func (s *slots) refill() (limit uint64, raise bool) {
	if s.finished == 0 || s.next+2*s.finished <= s.limit {
		return 0, false
	}
	s.limit += s.finished
	s.finished = 0
	return s.limit, true
}
