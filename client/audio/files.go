package audio

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/opus"
	"github.com/stentor-audio/stentor/client/audio/wav"
)

// openOgg passes the packets of a file through if all of them last 20 ms and fit
// into a datagram, and else encodes them anew.
func openOgg(in *input, o Options) (*Source, error) {
	file, err := newOgg(in)
	if err != nil {
		return nil, err
	}
	head := file.Head()
	info := Info{Kind: "Ogg Opus", Channels: head.Channels}
	if in.seeker == nil {
		return &Source{info: info, packets: newPass(in, file, o)}, nil
	}

	found := survey(file)
	if found.packets == 0 {
		if found.err != nil {
			return nil, found.err
		}
		return nil, fmt.Errorf("an Ogg Opus file, but %w", ErrEmpty)
	}
	info.Duration = time.Duration(found.samples) * time.Second / ogg.Rate
	info.Damage = advise(found.err)
	if file, err = newOgg(in); err != nil {
		return nil, err
	}
	if found.asIs {
		info.Bitrate = int(float64(found.bytes) * 8 / info.Duration.Seconds())
		return &Source{info: info, packets: newPass(in, file, o)}, nil
	}
	samples, err := newDecoded(file)
	if err != nil {
		return nil, err
	}
	return encodeFile(info, samples, ogg.Rate, o, func() (Samples, error) {
		file, err := newOgg(in)
		if err != nil {
			return nil, err
		}
		return newDecoded(file)
	})
}

// newOgg reads the file's headers, from its start.
func newOgg(in *input) (*ogg.Reader, error) {
	r, err := in.open()
	if err != nil {
		return nil, err
	}
	file, err := ogg.NewReader(r)
	switch {
	case errors.Is(err, ogg.ErrNotOpus), errors.Is(err, ogg.ErrChannels), errors.Is(err, ogg.ErrMultiplexed):
		return nil, fmt.Errorf("%w (%w)", unsupported("this Ogg file"), err)
	case err != nil:
		return nil, err
	}
	return file, nil
}

// advise adds to an error what to do about the file.
func advise(err error) error {
	if errors.Is(err, ogg.ErrChained) {
		return fmt.Errorf("%w; make one of them first, with \"ffmpeg -i FILE -ac 1 -c:a libopus NEW.opus\", for example", err)
	}
	return err
}

// A finding is what there is in an Ogg file.
type finding struct {
	packets        int
	samples, bytes int64
	asIs           bool  // packets can be sent as they are
	err            error // that ends it
}

func survey(file *ogg.Reader) finding {
	found := finding{asIs: true}
	start := int64(-1)
	for {
		p, err := file.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				found.err = err
			}
			return found
		}
		if start < 0 {
			start = p.Position
		}
		found.packets++
		found.bytes += int64(len(p.Data))
		found.samples = p.Position + int64(p.Samples) - start
		if p.Samples != opus.FrameSamples || len(p.Data) > opus.MaxPacket {
			found.asIs = false
		}
	}
}

// openWAV encodes a WAV file.
func openWAV(in *input, o Options) (*Source, error) {
	file, err := newWAV(in)
	if err != nil {
		return nil, err
	}
	format := file.Format()
	if file.Frames() == 0 {
		return nil, fmt.Errorf("a WAV file, but %w", ErrEmpty)
	}
	info := Info{
		Kind:     fmt.Sprintf("WAV, %v, %d Hz", format.Encoding, format.Rate),
		Channels: format.Channels,
	}
	if file.Frames() > 0 {
		info.Duration = time.Duration(float64(file.Frames()) / float64(format.Rate) * float64(time.Second))
	}
	return encodeFile(info, file, format.Rate, o, func() (Samples, error) { return newWAV(in) })
}

func newWAV(in *input) (*wav.Reader, error) {
	r, err := in.open()
	if err != nil {
		return nil, err
	}
	file, err := wav.NewReader(r)
	if errors.Is(err, wav.ErrUnsupported) {
		return nil, fmt.Errorf("%w (%w)", unsupported("this WAV file"), err)
	}
	return file, err
}

// encodeFile is a source of a file's samples; again opens them anew.
func encodeFile(info Info, samples Samples, rate int, o Options, again func() (Samples, error)) (*Source, error) {
	if o.Loop {
		samples = &repeat{samples: samples, again: again}
	}
	p, err := newEncode(samples, rate, info.Channels, o)
	if err != nil {
		return nil, err
	}
	info.Encoded, info.Bitrate = true, p.bitrate
	return &Source{info: info, packets: p}, nil
}
