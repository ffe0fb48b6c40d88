package client

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
)

// MixerOptions tune a [Mixer]. NewDecoder is required.
type MixerOptions struct {
	// NewDecoder makes the Opus decoder of one speaker, at 48 kHz and with 1 or 2
	// channels: client/audio has one.
	NewDecoder func(channels int) (playout.Decoder, error)

	// Channels of the mix, 1 or 2, interleaved. Zero means 1.
	Channels int

	// Buffer tunes delay and concealment. Where it leaves Packet open, the first
	// track says what it is.
	Buffer playout.Config
}

// A Mixer is an [Output] that plays every speaker of a room into one stream of
// PCM at 48 kHz. Block may be called from any goroutine, such as a sound card's.
type Mixer struct {
	o MixerOptions

	mu     sync.Mutex
	player *playout.Player
}

// NewMixer makes one.
func NewMixer(o MixerOptions) *Mixer {
	return &Mixer{o: o, player: newPlayer(o)}
}

func newPlayer(o MixerOptions) *playout.Player {
	return playout.NewPlayer(playout.PlayerConfig{Buffer: o.Buffer, Channels: o.Channels})
}

// Block writes the next 20 ms of the mix to dst, which has room for 960 samples
// in each channel. They begin to sound after ahead: what the sound card holds
// already, zero if that is not known. Blocks are to be taken every 20 ms.
func (m *Mixer) Block(dst []float32, ahead time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	copy(dst, m.player.Mix(now()+ahead))
}

// A Voice is one speaker in the mix.
type Voice struct {
	Speaker string
	Level   playout.Level
	Delay   time.Duration // how long after its earliest arrival a frame is played
}

// Voices returns the speakers in the mix, in the order they came.
func (m *Mixer) Voices() []Voice {
	m.mu.Lock()
	defer m.mu.Unlock()
	var voices []Voice
	for _, s := range m.player.Speakers() {
		_, name, _ := strings.Cut(s.Name(), "/")
		voices = append(voices, Voice{Speaker: name, Level: s.Level(), Delay: s.Buffer().Timing(now()).Delay})
	}
	return voices
}

// Lock implements [sync.Locker].
func (m *Mixer) Lock() { m.mu.Lock() }

// Unlock implements [sync.Locker].
func (m *Mixer) Unlock() { m.mu.Unlock() }

// Begin implements [Output].
func (m *Mixer) Begin(t Track) (Buffer, error) {
	if m.o.Buffer.Packet == 0 {
		// The delay that suffices depends on the packets; there was no voice yet.
		m.o.Buffer.Packet = t.Packet
		m.player = newPlayer(m.o)
	}
	decoder, err := m.o.NewDecoder(t.Channels)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	speaker, err := m.player.Add(voiceName(t), decoder, t.Channels)
	if err != nil {
		return nil, fmt.Errorf("mixer: %w", err)
	}
	return speaker.Buffer(), nil
}

// End implements [Output].
func (m *Mixer) End(t Track) { m.player.Remove(voiceName(t)) }

// Flow implements [Output]. The sound card sets the pace of a mix.
func (m *Mixer) Flow(time.Duration) {}

// voiceName tells two publishers apart that follow each other under one name.
func voiceName(t Track) string { return fmt.Sprintf("%d/%s", t.Origin, t.Speaker) }
