package client

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestLevelMeter(t *testing.T) {
	quiet, speech, loud := float32(0.0003), float32(0.05), float32(0.5) // -70, -26, -6 dB
	tests := []struct {
		name   string
		frames []float32
		want   string // a report with its place
	}{
		{"the first frame", []float32{speech}, "0:26! "},
		{"then every fifth", []float32{speech, speech, speech, speech, speech, speech, speech}, "0:26! 5:26! "},
		{"the mean power", []float32{0, speech, speech, speech, 0, 0}, "0:127 1:26! "},
		{"silence", []float32{0, 0, 0, 0, 0, 0}, "0:127 5:127 "},
		{"no speech yet", []float32{quiet, quiet, quiet, quiet, quiet, quiet}, "0:70 5:70 "},
		{"somebody begins", []float32{quiet, quiet, quiet, speech, speech, speech}, "0:70 3:26! "},
		{"and shouts", []float32{speech, speech, loud, loud}, "0:26! 2:6! "},
		{"nonsense", []float32{float32(math.Inf(1)), 2, float32(math.NaN())}, "0:0! "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m levelMeter
			got := ""
			for i, level := range tt.frames {
				if report, due := m.frame(level); due {
					got += fmt.Sprintf("%d:%d", i, report.DB())
					if report.Speech() {
						got += "!"
					}
					got += " "
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestReportEcho(t *testing.T) {
	s, err := NewSpeaker(SpeakOptions{Room: "town", Name: "ada", Relays: []string{"https://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		echo Echo
		want string
	}{
		{Echo{Loop: true, Delay: 350 * time.Millisecond, Gain: -18.04}, `{"loop":true,"delay_ms":350,"gain_db":-18}`},
		{Echo{Loop: true, Delay: time.Second, Gain: math.Inf(-1)}, `{"loop":true}`},
		{Echo{Delay: time.Second, Gain: -3}, `{"loop":false}`},
	} {
		s.ReportEcho(tt.echo)
		if f, next, _ := s.broadcast.guard.get(); string(f.Payload) != tt.want || next != uint64(i+1) {
			t.Errorf("%s, next %d; want %s", f.Payload, next, tt.want)
		}
	}
}
