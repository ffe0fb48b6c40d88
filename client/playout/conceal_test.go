package playout

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// A flatDecoder makes 1 of a packet, 0.5 of a guess and 0.25 of FEC.
type flatDecoder struct{ broken bool }

func (d *flatDecoder) fill(pcm []float32, v float32) error {
	if d.broken {
		return errors.New("broken")
	}
	for i := range pcm {
		pcm[i] = v
	}
	return nil
}

func (d *flatDecoder) Decode(packet []byte, pcm []float32) (int, error) {
	switch string(packet) {
	case "bad":
		return 0, errGarbage
	case "short":
		return FrameSamples / 2, d.fill(pcm, 1)
	}
	return FrameSamples, d.fill(pcm, 1)
}

func (d *flatDecoder) Conceal(pcm []float32) error { return d.fill(pcm, 0.5) }

func (d *flatDecoder) DecodeFEC(_ []byte, pcm []float32) error { return d.fill(pcm, 0.25) }

func TestConcealer(t *testing.T) {
	play := Slot{Kind: Play, Packet: []byte("good")}
	bad := Slot{Kind: Play, Packet: []byte("bad")}
	short := Slot{Kind: Play, Packet: []byte("short")}
	fec := Slot{Kind: Lost, Next: []byte("good"), Run: 2}
	silence := Slot{Kind: Silence, Wait: Frame}
	lost := func(run int) Slot { return Slot{Kind: Lost, Run: run} }
	starved := func(run int) Slot { return Slot{Kind: Starved, Run: run} }

	tests := []struct {
		name   string
		slots  []Slot
		broken bool
		want   string // of each block: the first, the middle and the last sample
	}{
		{"speech comes up over 5 ms", []Slot{play, play}, false, "0.00 1.00 1.00 | 1.00 1.00 1.00"},
		{"silence stays silent", []Slot{silence, lost(1), starved(1)}, false, "0.00 0.00 0.00 | 0.00 0.00 0.00 | 0.00 0.00 0.00"},
		{
			"losses fade over four blocks", []Slot{play, lost(1), lost(2), lost(3), lost(4), lost(5)}, false,
			"0.00 1.00 1.00 | 0.50 0.50 0.50 | 0.50 0.42 0.33 | 0.33 0.25 0.17 | 0.17 0.08 0.00 | 0.00 0.00 0.00",
		},
		{
			"waiting fades the same", []Slot{play, starved(1), starved(2), starved(3), starved(4)}, false,
			"0.00 1.00 1.00 | 0.50 0.50 0.50 | 0.50 0.42 0.33 | 0.33 0.25 0.17 | 0.17 0.08 0.00",
		},
		{
			"a frame after a loss comes up from where it is", []Slot{play, lost(1), lost(2), play}, false,
			"0.00 1.00 1.00 | 0.50 0.50 0.50 | 0.50 0.42 0.33 | 0.67 1.00 1.00",
		},
		{"FEC is as good as a packet", []Slot{play, fec, play}, false, "0.00 1.00 1.00 | 0.25 0.25 0.25 | 1.00 1.00 1.00"},
		{"FEC after silence", []Slot{fec}, false, "0.00 0.25 0.25"},
		{"silence after speech fades in a block", []Slot{play, silence, silence}, false, "0.00 1.00 1.00 | 0.50 0.25 0.00 | 0.00 0.00 0.00"},
		{"the end, too", []Slot{play, {Kind: Ended}, {Kind: Ended}}, false, "0.00 1.00 1.00 | 0.50 0.25 0.00 | 0.00 0.00 0.00"},
		{
			"garbage is concealed, not for ever", []Slot{play, bad, bad, bad, bad, bad}, false,
			"0.00 1.00 1.00 | 0.50 0.50 0.50 | 0.50 0.42 0.33 | 0.33 0.25 0.17 | 0.17 0.08 0.00 | 0.00 0.00 0.00",
		},
		{"a packet too short leaves the rest silent", []Slot{play, short}, false, "0.00 1.00 1.00 | 1.00 0.00 0.00"},
		{"a broken decoder is silence", []Slot{play, lost(1), fec}, true, "0.00 0.00 0.00 | 0.00 0.00 0.00 | 0.00 0.00 0.00"},
	}
	for _, channels := range []int{1, 2} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s in %d", tt.name, channels), func(t *testing.T) {
				c := concealer{decoder: &flatDecoder{broken: tt.broken}, channels: channels, limit: 4}
				pcm := make([]float32, FrameSamples*channels)
				var got []string
				for _, slot := range tt.slots {
					c.fill(slot, pcm, FrameSamples)
					got = append(got, fmt.Sprintf("%.2f %.2f %.2f", pcm[0], pcm[len(pcm)/2], pcm[len(pcm)-1]))
				}
				if got := strings.Join(got, " | "); got != tt.want {
					t.Errorf("made\n%s, want\n%s", got, tt.want)
				}
			})
		}
	}
}

func TestFadeGoesFromAllToNothing(t *testing.T) {
	for limit := range 10 {
		last := float32(1)
		for run := 1; run <= limit+3; run++ {
			got := fade(run, limit)
			if got > last || got < 0 || math.IsNaN(float64(got)) {
				t.Errorf("fade(%d, %d) = %v after %v", run, limit, got, last)
			}
			last = got
		}
		if last != 0 {
			t.Errorf("of %d, the last block ends at %v", limit, last)
		}
	}
}
