package wav

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// file is one in memory that can be rewound, and shows each state it was in.
type file struct {
	b    []byte
	at   int64
	look func(b []byte) // called after each write
}

func (f *file) Write(b []byte) (int, error) {
	f.b = append(f.b, make([]byte, max(0, int(f.at)+len(b)-len(f.b)))...)
	f.at += int64(copy(f.b[f.at:], b))
	if f.look != nil {
		f.look(f.b)
	}
	return len(b), nil
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		f.at = offset
	case io.SeekCurrent:
		f.at += offset
	default:
		f.at = int64(len(f.b)) + offset
	}
	return f.at, nil
}

// A program may be killed after any write: the file is good each time, and what
// it says it holds is behind what was written by a second and a write at most.
func TestKilledWriterLeavesGoodFile(t *testing.T) {
	for _, format := range []Format{{8000, 1, PCM16}, {8000, 2, Float32}, {8000, 1, PCM24}} {
		written := 0
		out := &file{}
		out.look = func(b []byte) {
			_, got, err := readAll(bytes.NewReader(b), 1000)
			if len(b) < 44 { // the header itself comes in one piece
				t.Fatalf("%d bytes", len(b))
			}
			if err != nil {
				t.Fatalf("%+v with %d samples: %v", format, written, err)
			}
			if len(got) > written || written-len(got) > (format.Rate+161)*format.Channels {
				t.Fatalf("%+v: %d samples of %d can be read", format, len(got), written)
			}
		}
		w, err := NewWriter(out, format)
		if err != nil {
			t.Fatal(err)
		}
		frame := make([]float32, 161*format.Channels)
		for range 200 {
			written += len(frame)
			if err := w.Write(frame); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, got, err := readAll(bytes.NewReader(out.b), 1000)
		if err != nil || len(got) != written || r.Frames() != int64(written/format.Channels) {
			t.Errorf("%+v: %d samples of %d, header says %d frames, %v", format, len(got), written, r.Frames(), err)
		}
		if len(out.b)%2 != 0 {
			t.Errorf("%+v: %d bytes, an odd number", format, len(out.b))
		}
	}
}

// The writer may begin behind other bytes.
func TestWriterStartsWhereTheFileIs(t *testing.T) {
	out := &file{b: []byte("before"), at: 6}
	w, err := NewWriter(out, Format{8000, 1, PCM24})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.Write([]float32{0.5}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if string(out.b[:6]) != "before" {
		t.Errorf("overwrote what was there: %q", out.b[:6])
	}
	if _, got, err := readAll(bytes.NewReader(out.b[6:]), 9); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWriterRefuses(t *testing.T) {
	for _, f := range []Format{
		{}, {8000, 0, PCM16}, {8000, 3, PCM16}, {0, 1, PCM16}, {MaxRate + 1, 1, PCM16},
		{8000, 1, PCM8}, {8000, 1, Float64}, {8000, 1, 77},
	} {
		if _, err := NewWriter(io.Discard, f); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	w, err := NewWriter(io.Discard, Format{8000, 2, PCM16})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(make([]float32, 3)); err == nil {
		t.Error("three samples for two channels")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Write(make([]float32, 2)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// full takes some bytes and then fails, like a disk.
type full int

func (f *full) Write(b []byte) (int, error) {
	if len(b) > int(*f) {
		return 0, io.ErrShortWrite
	}
	*f -= full(len(b))
	return len(b), nil
}

func TestWriteErrorsStick(t *testing.T) {
	for _, room := range []full{0, 44, 1000} {
		w, err := NewWriter(&room, Format{8000, 1, PCM16})
		for range 100 {
			if err != nil {
				break
			}
			err = w.Write(make([]float32, 100))
		}
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%v", err)
		}
		if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("Close: %v", err)
		}
	}
}
