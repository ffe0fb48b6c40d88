package ogg

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Packets of any bytes and any size, empty and beyond a page included, come out
// of the lacing as they went in, however pages are cut.
func TestLacing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(
			rapid.IntRange(0, 600),
			rapid.SampledFrom([]int{0, 254, 255, 256, 510, 255*254 - 1, 255 * 254, 255*255 - 1, 255 * 255, 255*255 + 1}),
			rapid.IntRange(0, 70000),
		)
		sizes := rapid.SliceOfN(size, 0, 12).Draw(t, "sizes")
		var out bytes.Buffer
		w := &Writer{out: &out, page: page{serial: 3, granule: noPosition}}
		var want [][]byte
		for i, n := range sizes {
			want = append(want, bytes.Repeat([]byte{byte(i + 1)}, n))
			w.add(want[i])
			w.page.granule = int64(i)
			w.packets++
			if rapid.Bool().Draw(t, "end page") {
				w.endPage()
			}
		}
		w.endPage()

		asm := assembler{keep: 70000}
		var got []raw
		for sequence := uint32(0); ; sequence++ {
			var p page
			_, err := p.read(&out)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || p.sequence != sequence {
				t.Fatalf("page %d of %d: %v", sequence, p.sequence, err)
			}
			before := len(got)
			got = asm.add(&p, got)
			ended := noPosition
			if len(got) > before {
				ended = len(got) - 1
			}
			if p.granule != int64(ended) {
				t.Fatalf("page %d has position %d, its last packet is %d", sequence, p.granule, ended)
			}
		}
		if len(got) != len(want) || asm.open {
			t.Fatalf("%d packets became %d", len(want), len(got))
		}
		for i := range got {
			if got[i].size != len(want[i]) || !bytes.Equal(got[i].data, want[i]) {
				t.Fatalf("packet %d of %d bytes became %d", i, len(want[i]), got[i].size)
			}
		}
	})
}

// Packets and the holes between them keep their places, and what is written is
// a good file whenever the program is killed between two packets.
func TestWriterKeepsTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w, err := NewWriter(&out, WriterConfig{Channels: rapid.IntRange(1, 2).Draw(t, "channels"), PreSkip: -1})
		if err != nil {
			t.Fatal(err)
		}
		var want []Packet
		end := int64(0)
		for i := range rapid.IntRange(0, 60).Draw(t, "packets") {
			if gap := rapid.SampledFrom([]int64{0, 0, 0, 0, -5, 960, 1, 48000 * 3600}).Draw(t, "gap"); gap > 0 && i > 0 {
				w.Skip(gap)
				end += gap
			} else {
				w.Skip(min(gap, 0))
			}
			p := Packet{Data: opus(rapid.IntRange(1, 1276).Draw(t, "size"), byte(i)), Samples: 960, Position: end}
			if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
				p.Data, p.Samples = long(rapid.IntRange(3, 255*254).Draw(t, "size")), 5760
			}
			want = append(want, p)
			end += int64(p.Samples)
			if err := w.WritePacket(p.Data); err != nil {
				t.Fatal(err)
			}
		}
		same := func(file []byte, least int) {
			_, got, err := readAll(file)
			if err != nil || len(got) < least || len(got) > len(want) {
				t.Fatalf("%d packets became %d: %v", len(want), len(got), err)
			}
			for i, p := range got {
				if !bytes.Equal(p.Data, want[i].Data) || p.Position != want[i].Position || p.Samples != want[i].Samples || p.Trim != 0 {
					t.Fatalf("packet %d at %d became %+v", i, want[i].Position, p)
				}
			}
		}
		same(out.Bytes(), len(want)-pagePackets)
		w.Skip(4711) // at the end it leaves no trace
		if err := w.Close(); err != nil || w.Samples() != end {
			t.Fatal(err, w.Samples(), end)
		}
		same(out.Bytes(), len(want))
	})
}

func TestWriterRefuses(t *testing.T) {
	if _, err := NewWriter(io.Discard, WriterConfig{Channels: 3}); !errors.Is(err, ErrChannels) {
		t.Errorf("3 channels: %v", err)
	}
	if _, err := NewWriter(io.Discard, WriterConfig{PreSkip: 1 << 16}); err == nil {
		t.Error("pre-skip of 65536 samples works")
	}

	var out bytes.Buffer
	w, err := NewWriter(&out, WriterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, {}, {0xff}, {0xfb, 0}} {
		if err := w.WritePacket(bad); err == nil {
			t.Errorf("packet %x works", bad)
		}
	}
	if err := w.WritePacket(opus(10, 1)); err != nil {
		t.Errorf("after bad packets: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, packets, err := readAll(out.Bytes()); err != nil || len(packets) != 1 {
		t.Errorf("%d packets, %v", len(packets), err)
	}
	if err := w.WritePacket(opus(10, 1)); !errors.Is(err, ErrClosed) {
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
	for _, room := range []full{0, 60, 200} {
		w, err := NewWriter(&room, WriterConfig{})
		for range 100 {
			if err != nil {
				break
			}
			err = w.WritePacket(opus(100, 1))
		}
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%v", err)
		}
		if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("Close: %v", err)
		}
	}
}

// The same packets make the same file, so that recordings can be compared.
func TestFilesAreReproducible(t *testing.T) {
	write := func() []byte {
		var out bytes.Buffer
		w, _ := NewWriter(&out, WriterConfig{Serial: 1, Comments: []string{"TITLE=a"}})
		w.WritePacket(opus(50, 2))
		w.Close()
		return out.Bytes()
	}
	if a, b := write(), write(); !slices.Equal(a, b) {
		t.Errorf("%x\n%x", a, b)
	}
}
