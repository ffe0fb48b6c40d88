package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// stdin are bare samples: signed, 16 bits, little-endian.
type stdin struct {
	in    io.Reader
	buf   []byte
	begun bool  // the first bytes were looked at
	err   error // once the samples before it were returned
}

// Read implements [Samples].
func (s *stdin) Read(dst []float32) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if cap(s.buf) < 2*len(dst) {
		s.buf = make([]byte, 2*len(dst))
	}
	buf := s.buf[:2*len(dst)]
	n, err := io.ReadFull(s.in, buf)
	if !s.begun {
		s.begun = true
		if kind := sniff(buf[:n]); kind.name == oggFile || kind.name == wavFile {
			s.err = fmt.Errorf("standard input: %w: it is an %s file, and bare samples are wanted (s16le, 48 kHz, mono); give the file's name instead",
				ErrUnsupported, kind.name)
			return 0, s.err
		}
	}
	for i := range n / 2 {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(buf[2*i:]))) / (1 << 15)
	}
	switch {
	case err == nil:
	case n%2 != 0:
		s.err = errors.New("standard input: ends inside a sample")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		s.err = io.EOF
	default:
		s.err = fmt.Errorf("standard input: %w", err)
	}
	if n < 2 {
		return 0, s.err
	}
	return n / 2, nil
}
