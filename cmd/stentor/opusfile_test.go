package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/playout"
)

// spoken is a well-formed Opus packet of 20 ms (RFC 6716 §3.1: CELT, one frame)
// that tells its number.
func spoken(n int) []byte { return []byte{0xf8, byte(n), byte(n >> 8), 0x55} }

// recorded returns the packets of an Ogg Opus file.
func recorded(t *testing.T, path string) (packets []ogg.Packet) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ogg.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return packets
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Data = slices.Clone(p.Data)
		packets = append(packets, p)
	}
}

// A tape is a recording under way, without a network: push is what a listener
// does with a frame that came.
type tape struct {
	*opusFile
	listener *client.Listener
	buffer   client.Buffer
}

func newTape(t *testing.T) *tape {
	t.Helper()
	var messages bytes.Buffer
	o := newOpusFile(filepath.Join(t.TempDir(), "x.opus"), playout.Config{}, &progress{out: &messages})
	l, err := client.NewListener(client.ListenOptions{Room: "town", Relays: []string{"https://127.0.0.1:1"}, Output: o.output()})
	if err != nil {
		t.Fatal(err)
	}
	buffer, err := o.frames.Begin(client.Track{Room: "town", Speaker: "ada", Origin: 7, SampleRate: 48000, Channels: 1, Packet: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return &tape{o, l, buffer}
}

func (p *tape) push(from, to int) {
	for n := from; n < to; n++ {
		p.buffer.Push(uint64(n), uint64(n)*frameMicros, spoken(n), 0)
	}
	p.frames.Flow(0)
}

// TestRecordingHoldsWhatCameLast: a listener takes packets until it has ended,
// and that is after it was asked to.
func TestRecordingHoldsWhatCameLast(t *testing.T) {
	p := newTape(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	p.push(0, 6)
	if err := p.run(ctx, p.listener); err != nil {
		t.Fatal(err)
	}
	p.push(6, 12)
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	got := recorded(t, p.path)
	if len(got) != 12 {
		t.Fatalf("%d packets, want 12", len(got))
	}
	for n, packet := range got {
		if !bytes.Equal(packet.Data, spoken(n)) {
			t.Errorf("packet %d is %x", n, packet.Data)
		}
		if packet.Position-got[0].Position != int64(n)*playout.FrameSamples {
			t.Errorf("packet %d begins at sample %d", n, packet.Position-got[0].Position)
		}
	}
}

// TestRecordingThatFails says why, and is not said to be complete.
func TestRecordingThatFails(t *testing.T) {
	p := newTape(t)
	if err := os.RemoveAll(filepath.Dir(p.path)); err != nil {
		t.Fatal(err)
	}
	p.push(0, 6)
	if err := p.run(t.Context(), p.listener); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("run = %v", err)
	}
	if err := p.close(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("close = %v", err)
	}
}

// TestRecordingKeepsTime writes frames with holes, silence and strange clocks,
// and reads where the packets lie.
func TestRecordingKeepsTime(t *testing.T) {
	packet := []byte{0xfc, 1, 2, 3}
	type in struct {
		sequence, timestamp uint64
		lost                bool
	}
	tests := []struct {
		name   string
		frames []in
		starts []int64 // of each packet, in frames of 20 ms
	}{
		{"whole", []in{{sequence: 0, timestamp: 0}, {sequence: 1, timestamp: 20000}}, []int64{0, 1}},
		{"lost first", []in{{sequence: 0, lost: true}, {sequence: 1, timestamp: 20000}}, []int64{0}},
		{"two lost", []in{{sequence: 0}, {sequence: 1, lost: true}, {sequence: 2, lost: true}, {sequence: 3, timestamp: 60000}}, []int64{0, 3}},
		{"silence", []in{{sequence: 0}, {sequence: 1, timestamp: 100000}}, []int64{0, 5}},
		{"lost before silence", []in{{sequence: 0}, {sequence: 1, lost: true}, {sequence: 2, timestamp: 200000}}, []int64{0, 10}},
		{"clock steps back", []in{{sequence: 0, timestamp: 1 << 40}, {sequence: 1, timestamp: 20000}}, []int64{0, 1}},
		{"clock wobbles", []in{{sequence: 0}, {sequence: 1, timestamp: 23000}}, []int64{0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir() + "/x.opus"
			o := newOpusFile(path, playout.Config{}, &progress{out: &bytes.Buffer{}})
			l, err := client.NewListener(client.ListenOptions{Room: "r", Relays: []string{"https://h"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range tt.frames {
				frame := client.Frame{Track: client.Track{Speaker: "ada", Channels: 1, SampleRate: 48000},
					Sequence: f.sequence, Timestamp: f.timestamp, Lost: f.lost}
				if !f.lost {
					frame.Opus = packet
				}
				if err := o.take(frame, l); err != nil {
					t.Fatal(err)
				}
			}
			if err := o.close(); err != nil {
				t.Fatal(err)
			}
			got := recorded(t, path)
			if len(got) != len(tt.starts) {
				t.Fatalf("%d packets, want %d", len(got), len(tt.starts))
			}
			for i, p := range got {
				if p.Position-got[0].Position != tt.starts[i]*960 {
					t.Errorf("packet %d begins at %d, want %d", i, p.Position-got[0].Position, tt.starts[i]*960)
				}
			}
		})
	}
	t.Run("a clock from the future", func(t *testing.T) {
		path := t.TempDir() + "/x.opus"
		o := newOpusFile(path, playout.Config{}, &progress{out: &bytes.Buffer{}})
		l, _ := client.NewListener(client.ListenOptions{Room: "r", Relays: []string{"https://h"}})
		track := client.Track{Speaker: "ada", Channels: 1, SampleRate: 48000}
		for i, stamp := range []uint64{0, 1 << 50} { // 35 years on
			if err := o.take(client.Frame{Track: track, Sequence: uint64(i), Timestamp: stamp, Opus: packet}, l); err != nil {
				t.Fatal(err)
			}
		}
		_ = o.close()
		got := recorded(t, path)
		if length := time.Duration(got[1].Position-got[0].Position) * time.Second / 48000; length > time.Minute {
			t.Errorf("the pause lasts %v", length)
		}
	})
	t.Run("another's packets", func(t *testing.T) {
		var said strings.Builder
		path := t.TempDir() + "/x.opus"
		o := newOpusFile(path, playout.Config{}, &progress{out: &said})
		l, _ := client.NewListener(client.ListenOptions{Room: "r", Relays: []string{"https://h"}})
		for _, name := range []string{"ada", "bob", "ada", "bob"} {
			if err := o.take(client.Frame{Track: client.Track{Speaker: name, Channels: 1}, Opus: packet}, l); err != nil {
				t.Fatal(err)
			}
		}
		_ = o.close()
		if n := len(recorded(t, path)); n != 2 || strings.Count(said.String(), "bob is not recorded") != 1 {
			t.Errorf("%d packets, said %q", n, said.String())
		}
	})
}
