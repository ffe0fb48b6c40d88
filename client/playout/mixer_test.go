package playout

import (
	"math"
	"slices"
	"testing"
)

func TestMixer(t *testing.T) {
	mono, stereo := []float32{0.1, 0.2, 0.3}, []float32{0.1, -0.1, 0.2, -0.2, 0.3, -0.4}
	tests := []struct {
		name     string
		channels int
		add      func(m *Mixer)
		want     []float32
	}{
		{"nobody", 1, func(*Mixer) {}, []float32{0, 0, 0}},
		{"mono in mono", 1, func(m *Mixer) { m.Add(mono, 1) }, mono},
		{"stereo in stereo", 2, func(m *Mixer) { m.Add(stereo, 2) }, stereo},
		{"mono in stereo", 2, func(m *Mixer) { m.Add(mono, 1) }, []float32{0.1, 0.1, 0.2, 0.2, 0.3, 0.3}},
		{"stereo in mono", 1, func(m *Mixer) { m.Add(stereo, 2) }, []float32{0, 0, (0.3 - 0.4) / 2}},
		{"both in stereo", 2, func(m *Mixer) { m.Add(stereo, 2); m.Add(mono, 1) }, []float32{0.2, 0, 0.4, 0, 0.6, -0.1}},
		{"a short block", 1, func(m *Mixer) { m.Add(mono[:1], 1) }, []float32{0.1, 0, 0}},
		{"a long block", 1, func(m *Mixer) { m.Add([]float32{0.1, 0.2, 0.3, 0.4}, 1) }, mono},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMixer(tt.channels, 3)
			var got []float32
			for i := range 1 + limiterAhead/3 {
				m.Begin()
				if i == 0 {
					tt.add(m)
				}
				got = append(got, m.End()...)
			}
			got = got[(limiterAhead-1)*tt.channels:][:len(tt.want)]
			if !slices.EqualFunc(got, tt.want, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 }) {
				t.Errorf("mixed %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.01 }
	tests := []struct {
		name      string
		pcm       []float32
		rms, peak float64
	}{
		{"nothing", nil, Quietest, Quietest},
		{"silence", make([]float32, 960), Quietest, Quietest},
		{"quieter than silence", []float32{1e-9, -1e-9}, Quietest, Quietest},
		{"a full square", []float32{1, -1, 1, -1}, 0, 0},
		{"a full sine", tone(1000, 1, 0, 960), -3.01, 0},
		{"half a sine", tone(1000, 0.5, 0, 960), -9.03, -6.02},
		{"negative peak", []float32{0.1, -0.5}, -8.86, -6.02},
		{"not a number", []float32{float32(math.NaN()), 0}, Quietest, Quietest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Measure(tt.pcm); !near(got.RMS, tt.rms) || !near(got.Peak, tt.peak) {
				t.Errorf("Measure = %+v, want %v and %v", got, tt.rms, tt.peak)
			}
		})
	}
}
