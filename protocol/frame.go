package protocol

// A Frame is one payload of a group with its time. It has no message length of
// its own (docs/wire.md, section 7.1):
//
//	FRAME {
//	  Timestamp Delta (i),   zigzag; not in lite-04
//	  Size (i),
//	  Payload (..),
//	}
type Frame struct {
	Timestamp uint64 // in units of the track's timescale; 0 in lite-04
	Payload   []byte
}

// Append writes f after b. prev is the timestamp of the frame before it in the
// group, 0 for the first.
func (f Frame) Append(b []byte, prev uint64, v Version) []byte {
	if v != Lite04 {
		b = appendVarint(b, zigzag(int64(f.Timestamp)-int64(prev)))
	}
	return appendSized(b, f.Payload)
}

// Frame reads the next frame of a group. prev is the timestamp of the frame
// before it, 0 for the first. The payload is fresh memory, which grows as its
// bytes arrive and not with the size that the peer claims. At the end of the
// group the error is io.EOF.
func (r *Reader) Frame(prev uint64, v Version) (Frame, error) {
	f, err := r.frame(prev, v)
	if err != nil {
		return Frame{}, place("frame", err)
	}
	return f, nil
}

func (r *Reader) frame(prev uint64, v Version) (f Frame, err error) {
	size, err := r.first()
	if v != Lite04 && err == nil {
		// What came first was the delta.
		if f.Timestamp, err = advance(prev, unzigzag(size)); err == nil {
			size, err = r.varint()
		}
	}
	if err != nil {
		return f, err
	}
	if size > MaxFrame {
		return f, ErrTooLong
	}
	f.Payload, err = r.bytes(int(size))
	return f, err
}

// advance adds delta to a timestamp that is in range, if the sum is too.
func advance(prev uint64, delta int64) (uint64, error) {
	next := int64(prev) + delta
	if next < 0 || next > maxTimestamp {
		return 0, errTimestamp
	}
	return uint64(next), nil
}
