package ogg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// opus makes a valid packet of 20 ms (CELT, fullband) and the given size, 1 to
// 1276 bytes, told from others by its fill.
func opus(size int, fill byte) []byte {
	p := bytes.Repeat([]byte{fill}, size)
	p[0] = 31 << 3
	return p
}

// long makes a valid packet of 120 ms, six frames, padded to the given size.
func long(size int) []byte {
	p := []byte{31 << 3, 0}
	p[0] |= 3
	p[1] = 6 | 0x40 // padding
	for pad := size - 3; ; pad -= 255 {
		if pad < 255 {
			p = append(p, byte(pad))
			break
		}
		p = append(p, 255)
	}
	return append(p, make([]byte, size-len(p))...)
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readAll reads to the end and returns the packets and the error after them,
// nil at a clean end.
func readAll(file []byte) (Head, []Packet, error) {
	return readAllFrom(bytes.NewReader(file))
}

func readAllFrom(in io.Reader) (Head, []Packet, error) {
	r, err := NewReader(in)
	if err != nil {
		return Head{}, nil, err
	}
	var packets []Packet
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Head(), packets, nil
		}
		if err != nil {
			return r.Head(), packets, err
		}
		packets = append(packets, p)
	}
}

// Files that other programs made, all of the same 0.7 s that espeak-ng spoke. The
// hashes are of the packets in a row as
// ffmpeg's demuxer gives them, the lengths are what opusinfo says.
func TestReadFilesOfOthers(t *testing.T) {
	tests := []struct {
		file     string
		channels int
		packets  int
		samples  int // of each packet
		length   int64
		sha256   string
	}{
		{"ffmpeg-20ms.opus", 1, 36, 960, 33600, "ce29be9434b63a01"},
		{"opusenc-2.5ms.opus", 1, 283, 120, 33600, "7cc79a9810bde03d"},
		{"opusenc-20ms.opus", 1, 36, 960, 33600, "ec2940b05882d140"},
		{"opusenc-60ms.opus", 1, 12, 2880, 33600, "8003c2ab93585ae7"},
		{"opusenc-stereo.opus", 2, 36, 960, 33600, "26e95c464705d339"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			head, packets, err := readAll(readFile(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if head.Channels != tt.channels || head.PreSkip != 312 || head.InputRate != 48000 || head.Gain != 0 {
				t.Errorf("head is %+v", head)
			}
			if len(packets) != tt.packets {
				t.Errorf("%d packets, want %d", len(packets), tt.packets)
			}
			sum := sha256.New()
			length := int64(-head.PreSkip)
			for i, p := range packets {
				if p.Samples != tt.samples || p.Position != int64(i*tt.samples) {
					t.Errorf("packet %d has %d samples at %d", i, p.Samples, p.Position)
				}
				length += int64(p.Samples - p.Trim)
				sum.Write(p.Data)
			}
			if length != tt.length {
				t.Errorf("plays %d samples, want %d", length, tt.length)
			}
			if got := hex.EncodeToString(sum.Sum(nil))[:16]; got != tt.sha256 {
				t.Errorf("packets hash to %s, want %s", got, tt.sha256)
			}
		})
	}
}

// copyPackets writes what was read, with the holes, and returns the file.
func copyPackets(t testing.TB, head Head, packets []Packet) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterConfig{Channels: head.Channels, PreSkip: head.PreSkip, Serial: 1})
	if err != nil {
		t.Fatal(err)
	}
	end := int64(0)
	for i, p := range packets {
		if i > 0 {
			w.Skip(p.Position - end)
		}
		if err := w.WritePacket(p.Data); err != nil {
			t.Fatal(err)
		}
		end = p.Position + int64(p.Samples)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCopiesAreBitExact(t *testing.T) {
	files, err := filepath.Glob("testdata/*.opus")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		head, packets, err := readAll(readFile(t, filepath.Base(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range []int{0, 1, 7} { // also one that starts midway
			_, again, err := readAll(copyPackets(t, head, packets[from:]))
			if err != nil {
				t.Fatal(file, err)
			}
			if len(again) != len(packets)-from {
				t.Fatalf("%s from %d: %d packets became %d", file, from, len(packets)-from, len(again))
			}
			for i, p := range again {
				want := packets[from+i]
				if !bytes.Equal(p.Data, want.Data) || p.Samples != want.Samples ||
					p.Position != want.Position-packets[from].Position {
					t.Errorf("%s from %d: packet %d is %+v, was %+v", file, from, i, p, want)
				}
			}
		}
	}
}

// Every truncation gives the packets of the whole pages before it and then an
// error, or a clean end if it is between two pages.
func TestTruncations(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, WriterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	// Where the file may end cleanly, and how many packets it then has.
	clean := map[int]int{out.Len(): 0}
	for i := range 60 {
		before := out.Len()
		packet := opus(20+i, byte(i))
		if i == 40 {
			packet = long(3000)
		}
		if err := w.WritePacket(packet); err != nil {
			t.Fatal(err)
		}
		if out.Len() > before {
			clean[out.Len()] = i
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := out.Bytes()
	clean[len(file)] = 60
	_, all, err := readAll(file)
	if err != nil || len(all) != 60 {
		t.Fatalf("%d packets, %v", len(all), err)
	}

	for n := range len(file) + 1 {
		_, packets, err := readAll(file[:n])
		if want, ok := clean[n]; ok {
			if err != nil || len(packets) != want {
				t.Errorf("cut at %d: %d packets and %v, want %d and a clean end", n, len(packets), err, want)
			}
		} else if n < 4 && !errors.Is(err, ErrNotOgg) || n >= 4 && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d: %v", n, err)
		}
		for i, p := range packets {
			if !bytes.Equal(p.Data, all[i].Data) || p.Position != all[i].Position {
				t.Fatalf("cut at %d: packet %d differs", n, i)
			}
		}
	}
}

// A bit that flips anywhere is noticed, and what comes before its page is kept.
func TestFlippedBits(t *testing.T) {
	file := readFile(t, "opusenc-60ms.opus")
	_, all, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range file {
		broken := bytes.Clone(file)
		broken[i] ^= 1 << (i % 8)
		_, packets, err := readAll(broken)
		if err == nil {
			t.Errorf("byte %d: no error", i)
		}
		for i, p := range packets {
			if !bytes.Equal(p.Data, all[i].Data) {
				t.Fatalf("packet %d differs", i)
			}
		}
	}
}
