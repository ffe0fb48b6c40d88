package floor

import (
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

// run brings so many packets of a size, and a report with every fifth if there is one.
func (m *meter) run(now *time.Time, packets, size int, report ...protocol.Level) {
	for range packets {
		*now = now.Add(20 * time.Millisecond)
		m.packet(m.newest+1, size, *now)
		if len(report) > 0 && m.newest%5 == 0 {
			m.report([]byte{byte(report[0])}, *now)
		}
	}
}

func TestMeter(t *testing.T) {
	speech := func(dB uint8) protocol.Level { return protocol.NewLevel(dB, true) }
	tests := []struct {
		name string
		run  func(m *meter, now *time.Time)
		want stage.Level
	}{
		{"nothing", func(*meter, *time.Time) {}, stage.Silence},
		{"packets alone", func(m *meter, now *time.Time) { m.run(now, 100, 80) }, guessed},
		{"smaller ones", func(m *meter, now *time.Time) { m.run(now, 100, 80); m.run(now, 50, 60) }, guessed + 4},
		{"such as breath makes", func(m *meter, now *time.Time) { m.run(now, 100, 80); m.run(now, 50, 15) }, faint},
		{"discontinuous transmission", func(m *meter, now *time.Time) { m.run(now, 100, 80); m.run(now, 1, 1) }, stage.Silence},
		{"a pause", func(m *meter, now *time.Time) { m.run(now, 100, 80); *now = now.Add(120 * time.Millisecond) }, stage.Silence},
		{"reports", func(m *meter, now *time.Time) { m.run(now, 100, 80, speech(22)) }, 22},
		{"no speech, as it says", func(m *meter, now *time.Time) { m.run(now, 100, 80, 22) }, faint},
		{"as loud as can be", func(m *meter, now *time.Time) { m.run(now, 100, 80, speech(0)) }, loudest},
		{"loud, and nothing in the packets", func(m *meter, now *time.Time) { m.run(now, 100, 80); m.run(now, 50, 15, speech(0)) }, faint},
		{"loud, and no packets", func(m *meter, now *time.Time) {
			m.run(now, 100, 80)
			for range 20 {
				*now = now.Add(100 * time.Millisecond)
				m.report([]byte{0x80}, *now)
			}
		}, stage.Silence},
		{"reports that have ended", func(m *meter, now *time.Time) { m.run(now, 100, 80, speech(20)); m.run(now, 30, 80) }, guessed},
		{"a constant rate", func(m *meter, now *time.Time) { m.run(now, 3000, 80, speech(40)) }, 40},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m meter
			now := epoch
			tt.run(&m, &now)
			if got := m.now(now); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestReportsThatAreNone(t *testing.T) {
	var m meter
	for _, payload := range [][]byte{nil, {}, {1, 2}} {
		if m.report(payload, epoch) {
			t.Errorf("%x is taken", payload)
		}
	}
	taken := 0
	for i := range 1000 { // in one second
		if m.report([]byte{0x80}, epoch.Add(time.Duration(i)*time.Millisecond)) {
			taken++
		}
	}
	if taken > reportRate+reportBurst {
		t.Errorf("%d of 1000 reports in a second are taken", taken)
	}
}

func TestMeterKnowsWhereSpeechBegan(t *testing.T) {
	var m meter
	now := epoch
	m.run(&now, 12, 80)
	now = now.Add(time.Second)
	m.run(&now, 12, 80)
	m.packet(3, 80, now) // a straggler
	if m.begun != 13 || m.newest != 24 {
		t.Errorf("begun at %d, newest %d", m.begun, m.newest)
	}
}

func TestMeterHoldsThroughPausesOfWords(t *testing.T) {
	var m meter
	now := epoch
	m.run(&now, 50, 80)
	spoke := m.hold(now)
	for _, tt := range []struct {
		after time.Duration
		want  stage.Level
	}{{120 * time.Millisecond, spoke}, {300 * time.Millisecond, spoke}, {301 * time.Millisecond, stage.Silence}} {
		if got := m.hold(now.Add(tt.after)); got != tt.want {
			t.Errorf("%v later: %d, want %d", tt.after, got, tt.want)
		}
	}
	now = now.Add(time.Second)
	m.run(&now, 1, 80)
	if got := m.hold(now); got != spoke {
		t.Errorf("the next word: %d, want %d", got, spoke)
	}
}
