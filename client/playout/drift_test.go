package playout

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// skip makes a block as render does, without computing its samples.
func (s *Speaker) skip(now time.Duration) {
	ratio := s.pace.ratio(s.buffer.est.Skew())
	for !s.resample.Ready(FrameSamples, ratio) {
		s.feed(s.next(now))
	}
	s.resample.pos += FrameSamples * ratio
}

// For an hour the speaker's clock and the sound card's are as wrong as bad
// crystals are. Nothing is lost, nothing stalls, and no frame is given out
// more than 10 ms from its time.
func TestAnHourOfDrift(t *testing.T) {
	tests := []struct {
		speaker, card float64 // ppm slower than the listener's clock
		bundle        int     // frames a packet
		lasts         time.Duration
	}{
		{200, 0, 1, time.Hour}, {-200, 0, 1, time.Hour},
		{0, 0, 1, 10 * time.Minute}, {200, -100, 1, 10 * time.Minute}, {-200, 100, 1, 10 * time.Minute},
		{200, 100, 3, 10 * time.Minute}, {-200, -100, 6, 10 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("speaker %+g ppm, card %+g ppm, packets of %d", tt.speaker, tt.card, tt.bundle), func(t *testing.T) {
			cfg := Config{Packet: time.Duration(tt.bundle) * Frame}
			s := newSpeaker("ada", &flatDecoder{}, 1, cfg)
			noise := rand.New(rand.NewPCG(uint64(tt.bundle), 7))
			frame, arrives, last := 0, time.Duration(0), time.Duration(0)
			packet := []byte("good")
			for block := 0; ; block++ {
				now := time.Duration(float64(block) * float64(Frame) * (1 + tt.card*1e-6))
				if now > tt.lasts {
					break
				}
				for arrives <= now {
					for range tt.bundle {
						s.buffer.Push(uint64(frame), micros(time.Duration(frame)*Frame), packet, arrives)
						frame++
					}
					whole := float64(frame+tt.bundle) * float64(Frame) * (1 + tt.speaker*1e-6)
					arrives = max(last, time.Duration(whole)+time.Duration(noise.ExpFloat64()*3e6))
					last = arrives
				}
				s.skip(now)
				if lag := s.buffer.lag; now > time.Minute && (lag < -10*ms || lag > 10*ms) {
					t.Fatalf("%v behind its time after %v", lag, now)
				}
			}
			got, timing := s.buffer.Stats(), s.buffer.Timing(last)
			if got.Lost+got.Late+got.Stalled+got.Refused != 0 || got.Played < uint64((tt.lasts-time.Second)/Frame) {
				t.Errorf("stats %+v", got)
			}
			if want := DefaultDelay(cfg.Packet); timing.Delay != want {
				t.Errorf("delay %v, want %v", timing.Delay, want)
			}
			if ppm := timing.Skew * 1e6; ppm < tt.speaker-20 || ppm > tt.speaker+20 {
				t.Errorf("skew %.0f ppm, want %v", ppm, tt.speaker)
			}
		})
	}
}

// After an outage that lasted longer than the delay, speech goes on late, and
// comes back to its delay by 5 ms a second.
func TestLagIsMadeUpFor(t *testing.T) {
	s := newSpeaker("ada", &flatDecoder{}, 1, Config{})
	as := say(0, 60*50, 0).sent(during(10*time.Second, 10*time.Second+280*ms))
	var lags []time.Duration
	for now := time.Duration(0); now < time.Minute; now += Frame {
		for ; len(as) > 0 && as[0].at <= now; as = as[1:] {
			s.buffer.Push(as[0].seq, micros(as[0].spoken), []byte("good"), as[0].at)
		}
		s.skip(now)
		if now%(5*time.Second) == 0 {
			lags = append(lags, s.buffer.lag.Round(ms))
		}
	}
	want := []time.Duration{0, 0, 0, 40 * ms, 23 * ms, 13 * ms, 7 * ms, 4 * ms, 2 * ms, ms, ms, 0}
	if !slices.Equal(lags, want) {
		t.Errorf("behind its time every 5 s by %v, want %v", lags, want)
	}
	if got := s.buffer.Stats(); got.Lost != 0 || got.Stalled == 0 {
		t.Errorf("stats %+v", got)
	}
}
