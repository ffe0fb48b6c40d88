package playout

import (
	"errors"
	"slices"
	"time"
)

// The errors of [Player.Add].
var (
	// ErrSpeaking: a speaker of that name is in the player already.
	ErrSpeaking = errors.New("speaker is already playing")

	// ErrChannels: neither mono nor stereo.
	ErrChannels = errors.New("channels must be 1 or 2")
)

// PlayerConfig tunes a [Player]. The zero value is a working one.
type PlayerConfig struct {
	// Buffer tunes each speaker's buffer.
	Buffer Config

	// Channels of the mix, 1 or 2, interleaved. Zero means 1.
	Channels int
}

// A Player mixes all speakers of a room into blocks of 20 ms.
type Player struct {
	cfg      PlayerConfig
	speakers []*Speaker // in the order they came
	mixer    *Mixer
	level    Level
}

// NewPlayer returns a player without speakers: it plays silence.
func NewPlayer(cfg PlayerConfig) *Player {
	if cfg.Channels != 2 {
		cfg.Channels = 1
	}
	return &Player{
		cfg:   cfg,
		mixer: NewMixer(cfg.Channels, FrameSamples),
		level: Level{RMS: Quietest, Peak: Quietest},
	}
}

// Add lets a speaker in, at any time. The decoder makes PCM of the given
// channels, 1 or 2, and is the speaker's own. A name that was removed may come
// back at once.
func (p *Player) Add(name string, decoder Decoder, channels int) (*Speaker, error) {
	if channels != 1 && channels != 2 {
		return nil, ErrChannels
	}
	if p.Speaker(name) != nil {
		return nil, ErrSpeaking
	}
	s := newSpeaker(name, decoder, channels, p.cfg.Buffer)
	p.speakers = append(p.speakers, s)
	return s, nil
}

// Remove lets a speaker go: it fades out over the next block.
func (p *Player) Remove(name string) {
	if s := p.Speaker(name); s != nil {
		s.leaving = true
	}
}

// Speaker is the one of that name, or nil.
func (p *Player) Speaker(name string) *Speaker {
	for _, s := range p.speakers {
		if s.name == name && !s.leaving {
			return s
		}
	}
	return nil
}

// Speakers are those in the player, in the order they came. The slice is the
// player's, to be read until the next call.
func (p *Player) Speakers() []*Speaker { return p.speakers }

// Mix makes the next 20 ms of everyone, interleaved; now is when they begin to
// sound, or when they are asked for if that is not known: then all is later by
// what the sound card holds. Successive blocks are 20 ms apart on the
// listener's sound card, whatever its clock makes of that. The slice is good
// until the next call. Mix allocates nothing.
func (p *Player) Mix(now time.Duration) []float32 {
	p.mixer.Begin()
	for _, s := range p.speakers {
		p.mixer.Add(s.render(now), s.channels)
	}
	p.speakers = slices.DeleteFunc(p.speakers, func(s *Speaker) bool { return s.leaving })
	block := p.mixer.End()
	p.level = Measure(block)
	return block
}

// Level is how loud the last block was.
func (p *Player) Level() Level { return p.level }
