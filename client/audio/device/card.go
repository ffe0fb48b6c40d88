//go:build cgo

package device

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"
)

// The card's own buffer: three periods of 10 ms, of which the program fills or
// empties one at a time.
const (
	period  = 10 * time.Millisecond
	periods = 3
)

// A card is an open device of miniaudio.
type card struct {
	context *malgo.AllocatedContext
	device  *malgo.Device
}

// openCard opens and starts the default device of a kind. exchange is called by
// the card's thread, with the samples it has or the room to fill; stopped, when
// the device stops, whoever did that.
func openCard(kind malgo.DeviceType, cfg Config, exchange func(pcm []float32), stopped func()) (*card, error) {
	context, err := malgo.InitContext(backends(kind, cfg), malgo.ContextConfig{}, nil)
	if err != nil {
		return nil, explain(err)
	}
	c := &card{context: context}
	if err := c.open(kind, cfg, exchange, stopped); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *card) open(kind malgo.DeviceType, cfg Config, exchange func(pcm []float32), stopped func()) error {
	dc := malgo.DefaultDeviceConfig(kind)
	dc.SampleRate = Rate
	dc.PeriodSizeInMilliseconds = uint32(period / time.Millisecond)
	dc.Periods = periods
	dc.Pulse.StreamNameCapture, dc.Pulse.StreamNamePlayback = "Stentor", "Stentor"
	for _, sub := range []*malgo.SubConfig{&dc.Capture, &dc.Playback} {
		sub.Format = malgo.FormatF32
		sub.Channels = uint32(cfg.Channels)
	}
	var err error
	c.device, err = malgo.InitDevice(c.context.Context, dc, malgo.DeviceCallbacks{
		Data: func(out, in []byte, _ uint32) {
			if kind == malgo.Capture {
				exchange(floats(in))
			} else {
				exchange(floats(out))
			}
		},
		Stop: stopped,
	})
	if err != nil {
		return explain(err)
	}
	if err := c.device.Start(); err != nil {
		return explain(err)
	}
	return nil
}

// close stops the device, waits for its thread and lets go of everything.
func (c *card) close() {
	if c.device != nil {
		c.device.Uninit()
	}
	_ = c.context.Uninit() // fails only for a context that is none
	c.context.Free()
}

// explain says what an error of miniaudio means and what to do about it.
func explain(err error) error {
	switch {
	case errors.Is(err, malgo.ErrNoDevice), errors.Is(err, malgo.ErrNoBackend), errors.Is(err, malgo.ErrDoesNotExist):
		return fmt.Errorf("%w: connect one, or use a file instead (%w)", ErrNone, err)
	case errors.Is(err, malgo.ErrBusy), errors.Is(err, malgo.ErrAlreadyInUse):
		return fmt.Errorf("another program uses it: close that one first (%w)", err)
	case errors.Is(err, malgo.ErrAccessDenied):
		return fmt.Errorf("not allowed: on Linux join the group \"audio\", elsewhere allow it in the privacy settings (%w)", err)
	}
	return fmt.Errorf("it does not open: choose another default device in the system's sound settings (%w)", err)
}

// backends names the sound services to try. Left to itself, miniaudio would in
// the end take one that plays to nobody and records silence.
func backends(kind malgo.DeviceType, cfg Config) []malgo.Backend {
	if cfg.backends != nil {
		var list []malgo.Backend
		for _, b := range cfg.backends {
			list = append(list, malgo.Backend(b))
		}
		return list
	}
	switch runtime.GOOS {
	case "windows":
		return []malgo.Backend{malgo.BackendWasapi, malgo.BackendDsound, malgo.BackendWinmm}
	case "darwin", "ios":
		return []malgo.Backend{malgo.BackendCoreaudio}
	case "android":
		return []malgo.Backend{malgo.BackendAaudio, malgo.BackendOpensl}
	case "linux":
		if alsaCard(kind) {
			return []malgo.Backend{malgo.BackendPulseaudio, malgo.BackendAlsa}
		}
		return []malgo.Backend{malgo.BackendPulseaudio} // PipeWire answers for it, too
	}
	return []malgo.Backend{malgo.BackendSndio, malgo.BackendAudio4, malgo.BackendOss}
}

// alsaCard says whether the Linux kernel knows a card that plays or records.
// Without one, ALSA would write some twenty lines to the terminal.
func alsaCard(kind malgo.DeviceType) bool {
	pattern := "/dev/snd/pcmC*D*p"
	if kind == malgo.Capture {
		pattern = "/dev/snd/pcmC*D*c"
	}
	found, _ := filepath.Glob(pattern) // fails only for a bad pattern
	return len(found) > 0
}

// floats is the same memory as samples. The card's buffers are aligned for them.
func floats(b []byte) []float32 {
	if len(b) < 4 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4)
}
