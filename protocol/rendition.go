package protocol

import (
	"errors"
	"fmt"
	"time"
)

// configJSON is what the catalog says of one track, in the order in which we
// write it. Jitter is 32 bits of milliseconds so that it fits a Duration.
type configJSON struct {
	Codec      string         `json:"codec"`
	SampleRate uint32         `json:"sampleRate"`
	Channels   uint32         `json:"numberOfChannels"`
	Bitrate    uint32         `json:"bitrate,omitempty"`
	Container  *containerJSON `json:"container,omitempty"`
	Jitter     uint32         `json:"jitter,omitempty"`
	Broadcast  string         `json:"broadcast,omitempty"`
}

type containerJSON struct {
	Kind Container `json:"kind"`
}

func newConfigJSON(r Rendition) configJSON {
	c := configJSON{
		Codec:      r.Codec,
		SampleRate: r.SampleRate,
		Channels:   r.Channels,
		Bitrate:    r.Bitrate,
		Jitter:     uint32(r.Jitter.Milliseconds()),
		Broadcast:  r.Broadcast,
	}
	if r.Container != "" {
		c.Container = &containerJSON{r.Container}
	}
	return c
}

// rendition checks what the schema requires and fills in what it assumes.
func (c *configJSON) rendition(track string) (Rendition, error) {
	r := Rendition{
		Track:      track,
		Codec:      c.Codec,
		SampleRate: c.SampleRate,
		Channels:   c.Channels,
		Bitrate:    c.Bitrate,
		Container:  ContainerLegacy,
		Jitter:     time.Duration(c.Jitter) * time.Millisecond,
		Broadcast:  c.Broadcast,
	}
	if c.Container != nil {
		r.Container = c.Container.Kind
	}
	if err := r.check(); err != nil {
		return Rendition{}, fmt.Errorf("rendition %q: %w", track, err)
	}
	return r, nil
}

func (r Rendition) check() error {
	switch {
	case r.Codec == "":
		return errors.New("no codec")
	case r.SampleRate == 0:
		return errors.New("no sampleRate")
	case r.Channels == 0:
		return errors.New("no numberOfChannels")
	case r.Container == "":
		return errors.New("container has no kind")
	}
	return nil
}
