package playout

import "time"

// A Speaker is one voice of a [Player].
type Speaker struct {
	name     string
	channels int
	buffer   *Buffer
	conceal  concealer
	resample *Resampler
	pace     pace

	frame   []float32 // one frame, decoded
	block   []float32 // one block of output
	level   Level
	leaving bool
}

func newSpeaker(name string, decoder Decoder, channels int, cfg Config) *Speaker {
	cfg = cfg.withDefaults()
	return &Speaker{
		name:     name,
		channels: channels,
		buffer:   NewBuffer(cfg),
		conceal:  concealer{decoder: decoder, channels: channels, limit: cfg.concealed()},
		resample: NewResampler(channels),
		frame:    make([]float32, FrameSamples*channels),
		block:    make([]float32, FrameSamples*channels),
		level:    Level{RMS: Quietest, Peak: Quietest},
	}
}

// Name is what the speaker was added as.
func (s *Speaker) Name() string { return s.name }

// Buffer is where the speaker's frames go and its holes are told. Its Pop
// belongs to the player.
func (s *Speaker) Buffer() *Buffer { return s.buffer }

// Level is how loud the last mixed block of this speaker was.
func (s *Speaker) Level() Level { return s.level }

// Undecodable is how many packets the decoder refused. They count as played,
// and are concealed.
func (s *Speaker) Undecodable() uint64 { return s.conceal.undecodable }

// ahead is how long before it sounds a frame is decoded at the latest: blocks
// are made whole, and the resampler looks a third of a millisecond further. A
// frame sounds that much later than it is due, so that it may come until then.
const ahead = Frame + time.Millisecond

// render makes the block that begins to sound at now.
func (s *Speaker) render(now time.Duration) []float32 {
	ratio := s.pace.ratio(s.buffer.est.Skew())
	for !s.resample.Ready(FrameSamples, ratio) {
		s.feed(s.next(now))
	}
	s.resample.Read(s.block, ratio)
	if s.leaving {
		s.fadeOut()
	}
	s.level = Measure(s.block)
	return s.block
}

// next is the slot behind what the resampler has queued.
func (s *Speaker) next(now time.Duration) Slot {
	return s.buffer.Pop(now + samples(s.resample.Queued()) - ahead)
}

// feed decodes a slot into the resampler's queue.
func (s *Speaker) feed(slot Slot) {
	n := FrameSamples
	if slot.Kind == Silence && slot.Wait < Frame {
		n = max(int(slot.Wait*SampleRate/time.Second), 1)
	}
	switch slot.Kind {
	case Play, Lost:
		s.pace.played(slot.Lag)
	case Silence, Ended:
		s.pace.rested()
	}
	s.conceal.fill(slot, s.frame, n)
	s.resample.Write(s.frame[:n*s.channels])
}

// fadeOut takes the block down to nothing: the speaker leaves in mid-word.
func (s *Speaker) fadeOut() {
	for i := range FrameSamples {
		gain := 1 - float32(i+1)/FrameSamples
		for ch := range s.channels {
			s.block[i*s.channels+ch] *= gain
		}
	}
}

// samples is how long n samples take.
func samples(n float64) time.Duration {
	return time.Duration(n / SampleRate * float64(time.Second))
}
