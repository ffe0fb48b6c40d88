package protocol

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/quic-go/quic-go/quicvarint"
)

const (
	// readerBuffer holds a group of one 60 ms bundle, which then takes one read.
	// Relays keep a Reader for every control stream that idles, so it is not
	// larger than that.
	readerBuffer = 256

	// firstBytes is how much memory the size that a peer claims is worth before
	// any of it arrived.
	firstBytes = 4 << 10
)

// A Reader takes messages off a stream, however small the pieces in which their
// bytes arrive. The caller knows from the stream's type and side which message
// comes next.
//
// A stream that ends between two messages gives io.EOF itself; one that ends
// inside a message an error that is io.ErrUnexpectedEOF to errors.Is. Other
// errors of the stream are wrapped. After any error the Reader is of no use. It
// is not safe for concurrent use.
type Reader struct {
	src *bufio.Reader
}

// NewReader returns a Reader of r, from which it may read ahead.
func NewReader(r io.Reader) *Reader {
	return &Reader{src: bufio.NewReaderSize(r, readerBuffer)}
}

// StreamType reads the type at the start of a stream. The number may be none
// that this package knows.
func (r *Reader) StreamType() (StreamType, error) {
	v, err := r.first()
	return StreamType(v), place("stream type", err)
}

// first reads a varint that opens a message, so that the stream may end before it.
func (r *Reader) first() (uint64, error) {
	if _, err := r.src.Peek(1); err != nil {
		return 0, err
	}
	return r.varint()
}

// varint reads a varint inside a message.
func (r *Reader) varint() (uint64, error) {
	v, err := quicvarint.Read(r.src)
	return v, inside(err)
}

// bytes reads n bytes inside a message into fresh memory. It asks for no more
// than twice what has arrived.
func (r *Reader) bytes(n int) ([]byte, error) {
	b := make([]byte, 0, min(n, firstBytes))
	for len(b) < n {
		b = slices.Grow(b, min(n-len(b), max(len(b), firstBytes)))
		got, err := io.ReadFull(r.src, b[len(b):min(n, cap(b))])
		b = b[:len(b)+got]
		if err != nil {
			return nil, inside(err)
		}
	}
	return b, nil
}

// readMessage reads a length, then the body, and hands it to parse, which must
// take all of it.
func readMessage[M any](r *Reader, name string, parse func(*cursor) M) (M, error) {
	var none M
	n, err := r.first()
	if err != nil {
		return none, place(name, err)
	}
	if n > MaxMessage {
		return none, place(name, ErrTooLong)
	}
	if n > readerBuffer {
		body, err := r.bytes(int(n))
		if err != nil {
			return none, place(name, err)
		}
		return parseBody(body, name, parse)
	}
	body, err := r.src.Peek(int(n))
	if err != nil {
		return none, place(name, inside(err))
	}
	m, err := parseBody(body, name, parse)
	_, _ = r.src.Discard(int(n)) // all of it is buffered
	return m, err
}

// inside turns the end of a stream into what it is within a message.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// place says in which message err happened. The end of a stream between two
// messages is no error and stays io.EOF.
func place(name string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
