package wav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Data sizes from vagueSize on promise nothing: programs that write to a pipe put
// about 2 GiB there, or about 4 GiB. From endlessSize on they are no bound either.
const (
	vagueSize   = 0x7fff0000
	endlessSize = 0xffff0000
)

// A Reader gives the samples of a WAV file. Not for concurrent use.
type Reader struct {
	in     *bufio.Reader
	format Format
	size   int64 // of the samples in bytes, -1 if the header does not say
	left   int64 // bytes to read at most
	buf    []byte
	err    error
}

// NewReader reads the header of the WAV file r, up to the first sample. RIFF and
// RF64 files will do, with whatever chunks before the samples. Its errors wrap
// [ErrNotWAV], [ErrUnsupported], [ErrCorrupt] or [ErrTruncated], or are those of r.
func NewReader(r io.Reader) (*Reader, error) {
	w := &Reader{in: bufio.NewReader(r)}
	var head [12]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrNotWAV
		}
		return nil, err
	}
	id := string(head[:4])
	if (id != "RIFF" && id != "RF64" && id != "BW64") || string(head[8:]) != "WAVE" {
		return nil, ErrNotWAV
	}
	if err := w.findData(binary.LittleEndian.Uint32(head[4:])); err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	return w, nil
}

// Format says what the samples are.
func (w *Reader) Format() Format { return w.format }

// Frames is how many samples each channel has according to the header, or -1 if
// it does not say.
func (w *Reader) Frames() int64 {
	if w.size < 0 {
		return -1
	}
	return w.size / int64(w.format.frame())
}

// findData reads chunks up to the head of "data". riff is the size of them all.
func (w *Reader) findData(riff uint32) error {
	var large int64 // size of "data" in a file that needs more than 32 bits
	for {
		var head [8]byte
		if _, err := io.ReadFull(w.in, head[:]); err != nil {
			return w.noData(err)
		}
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "fmt ":
			body, err := w.chunk(size, 40)
			if err != nil {
				return w.noData(err)
			}
			if w.format, err = parseFormat(body); err != nil {
				return err
			}
		case "ds64": // riff size (8) · data size (8) · …
			body, err := w.chunk(size, 16)
			if err != nil {
				return w.noData(err)
			}
			if len(body) == 16 {
				large = int64(binary.LittleEndian.Uint64(body[8:]))
			}
		case "data":
			if w.format.Rate == 0 {
				return fmt.Errorf("%w: samples before their format", ErrCorrupt)
			}
			w.setSize(size, large, riff)
			return nil
		default:
			if _, err := w.chunk(size, 0); err != nil {
				return w.noData(err)
			}
		}
	}
}

// chunk reads the body of a chunk, keeps the first bytes of it and skips the
// rest, with the byte that fills up an odd size.
func (w *Reader) chunk(size, keep int64) ([]byte, error) {
	body := make([]byte, min(size, keep))
	if _, err := io.ReadFull(w.in, body); err != nil {
		return nil, err
	}
	rest := size + size&1 - int64(len(body))
	_, err := io.CopyN(io.Discard, w.in, rest)
	return body, err
}

// noData is for a file that ends in its header.
func (w *Reader) noData(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: in its header, before any sample", ErrTruncated)
	}
	return err
}

// setSize makes sense of the size that the data chunk claims to have.
func (w *Reader) setSize(size, large int64, riff uint32) {
	switch {
	case large > 0:
		w.size, w.left = large, large
	case size >= endlessSize, size == 0 && (riff == 0 || riff >= vagueSize):
		w.size, w.left = -1, math.MaxInt64
	case size >= vagueSize:
		w.size, w.left = -1, size
	default:
		w.size, w.left = size, size
	}
}

// Read fills dst with samples, those of the channels in turn, and returns how
// many it wrote: always whole frames, and none if dst is too short for one. At
// the end it returns [io.EOF]; an error that wraps [ErrTruncated] says that the
// header promised more, or that the file ends inside a frame.
func (w *Reader) Read(dst []float32) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if len(dst) < w.format.Channels {
		return 0, io.ErrShortBuffer
	}
	want := int(min(int64(len(dst)/w.format.Channels*w.format.frame()), w.left))
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	n, err := io.ReadFull(w.in, w.buf[:want])
	w.left -= int64(n)
	w.err = w.end(n, want, err)

	size := encodings[w.format.Encoding].bytes
	whole := n - n%w.format.frame()
	for i := range whole / size {
		dst[i] = w.format.Encoding.decode(w.buf[i*size:])
	}
	if whole > 0 {
		return whole / size, nil
	}
	return 0, w.err
}

// end decides what a read of n bytes out of want means for the next one.
func (w *Reader) end(n, want int, err error) error {
	partial := n%w.format.frame() != 0
	switch {
	case err == nil && w.left == 0 && !partial:
		return io.EOF
	case err == nil && !partial:
		return nil
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("wav: %w", err)
	case w.size >= 0 && w.left > 0:
		return fmt.Errorf("wav: %w: %d of %d bytes of samples are missing", ErrTruncated, w.left, w.size)
	case partial:
		return fmt.Errorf("wav: %w: inside a sample", ErrTruncated)
	}
	return io.EOF
}
