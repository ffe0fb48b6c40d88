// Package audio turns what somebody wants to say into Opus packets of 20 ms: an
// Ogg Opus file, a WAV file, samples on standard input, a microphone.
//
//	src, err := audio.Open("speech.opus", audio.Options{})
//	…
//	err = speaker.Play(ctx, src)
//
// Packets of an Ogg file that last 20 ms pass through as they are, byte for byte;
// everything else is decoded, resampled and encoded. Its subpackages do one of
// these things each and can be used alone: ogg, wav, resample, opus, and device
// for the sound card, which this package does not link. Without cgo everything
// works that needs neither encoder nor decoder.
package audio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stentor-audio/stentor/client/audio/opus"
)

var (
	// ErrNotAudio is for files that hold something else. The text says what.
	ErrNotAudio = errors.New("not audio")

	// ErrUnsupported is for audio of a kind that must be converted first.
	ErrUnsupported = errors.New("unsupported")

	// ErrEmpty is for files in which there is no sound.
	ErrEmpty = errors.New("there is no sound in it")
)

// Options tune a [Source]. The zero value is a working one.
type Options struct {
	// Encoder is for what must be encoded. Its Channels are those of the input.
	Encoder opus.EncoderConfig

	// Loop begins again at the end of a file, without a pause, for ever.
	Loop bool

	// Meter decodes packets that pass through, only to tell how loud they are;
	// without it their level is 0. What is encoded has a level in any case.
	Meter bool

	// Heard is given what is about to be encoded, 20 ms at 48 kHz at a time, the
	// samples of the channels in turn, and may change it: an echo guard listens
	// here. It is called by Next. Nil is for nobody. Packets that pass through are
	// not shown.
	Heard func(pcm []float32)
}

// Info describes a source.
type Info struct {
	Kind     string        // such as "Ogg Opus" or "WAV, PCM16, 44100 Hz"
	Channels int           // 1 or 2
	Bitrate  int           // bit/s, of the packets; 0 unknown
	Duration time.Duration // of a file, once; 0 unknown

	// Encoded says that the packets are made here and not those of the file.
	Encoded bool

	// Damage is the error that a file will end with, where that is known before
	// it has been played up to there.
	Damage error
}

// A Source yields the packets of one speaker. Not for concurrent use, except
// Close.
type Source struct {
	info    Info
	packets packets
	closer  io.Closer // nil if there is nothing to close
}

// packets is what yields: pass or encode.
type packets interface {
	next() (packet []byte, level float32, err error)
}

// Info describes the source.
func (s *Source) Info() Info { return s.info }

// Next returns the next packet, 20 ms of sound, and how loud it is: 0 is
// silence, 1 full scale. An empty packet stands for 20 ms in which there is none,
// a hole in a recording. The bytes are good until the next call. After the last
// packet comes [io.EOF], or the error that tells why there are no more.
func (s *Source) Next() (packet []byte, level float32, err error) {
	packet, level, err = s.packets.next()
	return packet, level, advise(err)
}

// Close closes the file or device behind the source.
func (s *Source) Close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

// Open opens a file by what is in it, whatever its name, or standard input if
// path is "-": signed 16-bit little-endian samples at 48 kHz, mono. Its errors say
// what the file is and what to do about it; those of this package are wrapped.
func Open(path string, o Options) (*Source, error) {
	if path == "-" {
		if o.Loop {
			return nil, fmt.Errorf("standard input: %w", errOnce)
		}
		return fromSamples("standard input", &stdin{in: os.Stdin}, opus.Rate, 1, o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	src, err := openFile(f, o)
	if err != nil {
		_ = f.Close() // it was only read
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	src.closer = f
	return src, nil
}

func openFile(f *os.File, o Options) (*Source, error) {
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if st.IsDir() {
		return nil, fmt.Errorf("%w but a directory; %s", ErrNotAudio, wanted)
	}
	return New(f, o)
}

// New is [Open] for an open file, or anything else that holds a file: the clip in
// package sample, say. If r is an [io.Seeker] that works it is read from where it
// stands, more than once if need be; a pipe is read once, and then Options.Loop is
// an error. The caller closes r.
func New(r io.Reader, o Options) (*Source, error) {
	in, err := newInput(r)
	if err != nil {
		return nil, err
	}
	if o.Loop && in.seeker == nil {
		return nil, errOnce
	}
	switch kind := sniff(in.head); kind.name {
	case oggFile:
		return openOgg(in, o)
	case wavFile:
		return openWAV(in, o)
	default:
		return nil, kind.refuse()
	}
}

// Samples are PCM to be encoded. [device.Microphone] and [wav.Reader] are such.
//
// [device.Microphone]: https://pkg.go.dev/github.com/stentor-audio/stentor/client/audio/device#Microphone
// [wav.Reader]: https://pkg.go.dev/github.com/stentor-audio/stentor/client/audio/wav#Reader
type Samples interface {
	// Read waits for samples and fills dst with as many as there are, those of
	// the channels in turn, from -1 to 1, and only whole frames. It returns
	// io.EOF after the last.
	Read(dst []float32) (n int, err error)
}

// Encode makes a source of samples: a microphone's, or a program's own. name is
// what messages call it, rate in Hz; Options.Loop means nothing here. Close closes
// the samples if they are an [io.Closer].
func Encode(name string, samples Samples, rate, channels int, o Options) (*Source, error) {
	src, err := fromSamples(name, samples, rate, channels, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	src.closer, _ = samples.(io.Closer)
	return src, nil
}

func fromSamples(name string, samples Samples, rate, channels int, o Options) (*Source, error) {
	p, err := newEncode(samples, rate, channels, o)
	if err != nil {
		return nil, err
	}
	return &Source{
		info:    Info{Kind: name, Channels: channels, Bitrate: p.bitrate, Encoded: true},
		packets: p,
	}, nil
}
