package audio

import (
	"bytes"
	"errors"
	"io"
)

// errOnce is for pipes that were to be read twice.
var errOnce = errors.New("a pipe cannot be repeated; save it to a file first")

// An input is a file that may be read more than once, if it can be rewound.
type input struct {
	reader io.Reader
	seeker io.Seeker // nil for a pipe
	start  int64
	head   []byte // the first bytes
	used   bool   // the head of a pipe was handed out
}

// newInput reads the head of r and stands at its start again.
func newInput(r io.Reader) (*input, error) {
	in := &input{reader: r, head: make([]byte, 512)}
	if s, ok := r.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			in.seeker, in.start = s, at
		}
	}
	n, err := io.ReadFull(r, in.head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	in.head = in.head[:n]
	return in, nil
}

// open returns a reader from the start.
func (in *input) open() (io.Reader, error) {
	if in.seeker != nil {
		_, err := in.seeker.Seek(in.start, io.SeekStart)
		return in.reader, err
	}
	if in.used {
		return nil, errOnce
	}
	in.used = true
	return io.MultiReader(bytes.NewReader(in.head), in.reader), nil
}
