package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio/device"
	"github.com/stentor-audio/stentor/client/audio/opus"
	"github.com/stentor-audio/stentor/client/audio/wav"
	"github.com/stentor-audio/stentor/client/playout"
)

// An output is what becomes of what is heard.
type output interface {
	// output takes it from the listener.
	output() client.Output
	// run moves it on until ctx ends, or fails. It is called once.
	run(ctx context.Context, l *client.Listener) error
	// line is what there is to see while it runs.
	line(client.Stats) string
	// close writes what is left.
	close() error
}

// outputOptions say how an output plays.
type outputOptions struct {
	packet, delay time.Duration
	progress      *progress
	played        func(pcm []float32) // is given the mix as it goes out; nil for nobody
}

// openOutput chooses by what --out says.
func openOutput(out string, o outputOptions) (output, error) {
	buffer := playout.Config{Packet: o.packet, MinDelay: o.delay, MaxDelay: max(time.Second, o.delay)}
	m := newMix(buffer, o.played)
	switch ext := strings.ToLower(filepath.Ext(out)); {
	case out == "":
		speaker, err := device.OpenLoudspeaker(device.Config{})
		if err != nil {
			return nil, fmt.Errorf("%w; or write to a file with --out FILE.wav", err)
		}
		return &loudspeaker{mix: m, speaker: speaker}, nil
	case out == "-":
		return &rawOutput{mix: m, out: bufio.NewWriter(os.Stdout)}, nil
	case ext == ".wav":
		return &wavFile{mix: m, path: out}, checkFolder("--out", out)
	case ext == ".opus" || ext == ".ogg":
		return newOpusFile(out, buffer, o.progress), checkFolder("--out", out)
	}
	return nil, usagef("--out %s: the name must end in .opus or .wav, or be - for samples on standard output", out)
}

// checkFolder finds out early that a file cannot be written.
func checkFolder(flag, path string) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil {
		return usagef("%s: %w", flag, err)
	} else if !info.IsDir() {
		return usagef("%s %s: %s is not a folder", flag, path, filepath.Dir(path))
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usagef("%s %s: is a folder, and a file is wanted", flag, path)
	}
	return nil
}

// A mix is the outputs that decode.
type mix struct {
	mixer  *client.Mixer
	block  []float32 // 20 ms
	played func(pcm []float32)
}

func newMix(buffer playout.Config, played func([]float32)) mix {
	return mix{
		played: played,
		mixer: client.NewMixer(client.MixerOptions{
			NewDecoder: func(channels int) (playout.Decoder, error) { return opus.NewDecoder(channels) },
			Buffer:     buffer,
		}),
		block: make([]float32, playout.FrameSamples),
	}
}

func (m mix) output() client.Output { return m.mixer }

// next mixes the next 20 ms, which begin to sound after ahead.
func (m mix) next(ahead time.Duration) []float32 {
	m.mixer.Block(m.block, ahead)
	if m.played != nil {
		m.played(m.block)
	}
	return m.block
}

// line shows each voice with its level.
func (m mix) line(st client.Stats) string {
	voices := m.mixer.Voices()
	if len(voices) == 0 {
		return "waiting"
	}
	var b strings.Builder
	for _, v := range voices {
		fmt.Fprintf(&b, "%s %s  ", cut(printable(v.Speaker), 20), meter(v.Level.RMS, 10))
	}
	var expected, lost uint64
	for _, t := range st.Tracks {
		expected, lost = expected+t.Expected, lost+t.Lost
	}
	fmt.Fprintf(&b, "lost %d (%.2f %%)  delay %d ms", lost, 100*float64(lost)/float64(max(expected, 1)), voices[0].Delay.Milliseconds())
	return b.String()
}

// inRealTime hands block after block to write, each when it is due. Whoever was
// held up catches up; whoever slept goes on from now.
func (m mix) inRealTime(ctx context.Context, write func([]float32) error) error {
	const asleep = time.Second
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := time.Now()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		if time.Since(due) > asleep {
			due = time.Now()
		}
		if err := write(m.next(time.Until(due))); err != nil {
			return err
		}
		due = due.Add(playout.Frame)
		timer.Reset(time.Until(due))
	}
}

// loudspeaker plays.
type loudspeaker struct {
	mix
	speaker *device.Loudspeaker
}

func (o *loudspeaker) run(ctx context.Context, _ *client.Listener) error {
	for ctx.Err() == nil {
		if err := o.speaker.Write(o.next(o.speaker.Buffered())); err != nil {
			return err
		}
	}
	return nil
}

func (o *loudspeaker) close() error { return o.speaker.Close() }

// wavFile records the mix, from the first word on.
type wavFile struct {
	mix
	path string
	file *os.File
	wav  *wav.Writer
}

func (o *wavFile) run(ctx context.Context, l *client.Listener) error {
	return o.inRealTime(ctx, func(block []float32) error {
		if o.wav == nil {
			if !anyHeard(l.Stats()) {
				return nil
			}
			if err := o.create(); err != nil {
				return err
			}
		}
		return o.wav.Write(block)
	})
}

// anyHeard reports whether something of a voice has come: somebody may be there for
// long before a room begins.
func anyHeard(st client.Stats) bool {
	return slices.ContainsFunc(st.Tracks, func(t client.TrackStats) bool { return t.Expected > 0 })
}

func (o *wavFile) create() (err error) {
	if o.file, err = os.Create(o.path); err != nil {
		return err
	}
	o.wav, err = wav.NewWriter(o.file, wav.Format{Encoding: wav.PCM16, Channels: 1, Rate: playout.SampleRate})
	return err
}

func (o *wavFile) close() error {
	if o.wav == nil {
		return fmt.Errorf("%w; %s was not written", errNothingHeard, o.path)
	}
	err := o.wav.Close()
	if closeErr := o.file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// rawOutput writes samples to standard output, silence included, so that whoever
// reads them keeps time.
type rawOutput struct {
	mix
	out   *bufio.Writer
	bytes []byte
}

func (o *rawOutput) run(ctx context.Context, _ *client.Listener) error {
	return o.inRealTime(ctx, func(block []float32) error {
		o.bytes = o.bytes[:0]
		for _, x := range block {
			o.bytes = binary.LittleEndian.AppendUint16(o.bytes, uint16(pcm16(x)))
		}
		if _, err := o.out.Write(o.bytes); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
		return o.out.Flush()
	})
}

func (o *rawOutput) close() error { return o.out.Flush() }

// pcm16 rounds a sample; the mix is limited, but 1.0 has no 16-bit form.
func pcm16(x float32) int16 { return int16(min(max(x*32768, -32768), 32767)) }
