package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// unpatched is the size in the header of a file that cannot be rewound.
const unpatched = 0xffffffff

// A Writer writes a WAV file. If the file can be rewound, the sizes in its header
// are brought up to date once per second of sound, so that it can be played also
// if the program is killed; else, and beyond 4 GiB, they say "until the end". Not
// for concurrent use.
type Writer struct {
	out    io.Writer
	seek   io.Seeker // nil if out cannot be rewound
	start  int64     // of the file in seek
	format Format
	header int   // bytes before the first sample
	size   int64 // of the samples in bytes
	pad    int64 // bytes after them
	stated int64 // what the header says about size
	buf    []byte
	err    error // the first; nothing is written after it
}

// ErrClosed is what a [Writer] returns after Close.
var ErrClosed = errors.New("wav: closed")

// NewWriter writes the header to w. The caller closes w, after the Writer, and
// must not have opened it for appending.
func NewWriter(w io.Writer, f Format) (*Writer, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("wav: %w", err)
	}
	if f.Encoding > Float32 {
		return nil, fmt.Errorf("wav: %w: writing %s", ErrUnsupported, f.Encoding)
	}
	o := &Writer{out: w, format: f}
	if s, ok := w.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			o.seek, o.start = s, at
		}
	}
	size := uint32(unpatched)
	if o.seek != nil {
		size = 0
	}
	body := f.append(nil)
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = append(b, body...)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	o.header = len(b)
	binary.LittleEndian.PutUint32(b[4:], max(size, uint32(o.header-8)))
	_, o.err = w.Write(b)
	return o, o.err
}

// Write adds samples, those of the channels in turn.
func (o *Writer) Write(samples []float32) error {
	if o.err != nil {
		return o.err
	}
	if len(samples)%o.format.Channels != 0 {
		return fmt.Errorf("wav: %d samples for %d channels", len(samples), o.format.Channels)
	}
	o.buf = o.buf[:0]
	for _, x := range samples {
		o.buf = o.format.Encoding.encode(o.buf, x)
	}
	if _, o.err = o.out.Write(o.buf); o.err != nil {
		return o.err
	}
	first := o.size == 0
	o.size += int64(len(o.buf))
	if first || o.size-o.stated >= int64(o.format.Rate*o.format.frame()) {
		o.err = o.patch()
	}
	return o.err
}

// Close writes what is missing and the final sizes.
func (o *Writer) Close() error {
	if errors.Is(o.err, ErrClosed) {
		return nil
	}
	if o.err == nil && o.seek != nil && o.size%2 != 0 {
		_, o.err = o.out.Write([]byte{0}) // chunks of a known size have an even one
		o.pad = 1
	}
	if o.err == nil {
		o.err = o.patch()
	}
	err := o.err
	o.err = ErrClosed
	return err
}

// patch brings the two sizes in the header up to date.
func (o *Writer) patch() error {
	if o.seek == nil {
		return nil
	}
	data, riff := o.size, o.size+o.pad+int64(o.header-8)
	end := o.start + 8 + riff
	if riff >= endlessSize {
		data, riff = unpatched, unpatched
	}
	o.stated = o.size
	for _, field := range []struct{ at, value int64 }{
		{4, riff}, {int64(o.header - 4), data},
	} {
		if _, err := o.seek.Seek(o.start+field.at, io.SeekStart); err != nil {
			return err
		}
		if _, err := o.out.Write(binary.LittleEndian.AppendUint32(nil, uint32(field.value))); err != nil {
			return err
		}
	}
	_, err := o.seek.Seek(end, io.SeekStart)
	return err
}
