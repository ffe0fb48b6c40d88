package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Catalog is the document of [TrackCatalog]: what a broadcast has to hear
// (docs/wire.md, section 14.1). Video and members that this package does not
// know are passed over.
type Catalog struct {
	// Audio holds the renditions in the order of the document, in which players
	// prefer them. None: the broadcast has no audio.
	Audio []Rendition
}

// A Rendition is one way to hear a broadcast: a track and what a decoder has to
// know about it.
type Rendition struct {
	Track      string
	Codec      string // "opus"
	SampleRate uint32 // Hz
	Channels   uint32
	Bitrate    uint32 // bit/s, informative; 0 is not said
	Container  Container

	// Jitter is the longest time between a frame being ready and being sent, in
	// whole milliseconds: a packet's duration. Zero is not said; players then
	// assume 20 ms for Opus.
	Jitter time.Duration

	// Broadcast is the relative path of another broadcast that carries the
	// track. Empty: this one.
	Broadcast string
}

// Rendition returns the rendition of a track.
func (c Catalog) Rendition(track string) (Rendition, bool) {
	for _, r := range c.Audio {
		if r.Track == track {
			return r, true
		}
	}
	return Rendition{}, false
}

// JSON returns the document, members in a fixed order.
func (c Catalog) JSON() []byte {
	var doc catalogJSON
	if len(c.Audio) > 0 {
		doc.Audio = &audioJSON{Renditions: c.Audio}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err) // nothing in a Catalog can fail
	}
	return b
}

// ParseCatalog reads a document, the first frame of a group of [TrackCatalog].
// One wrong type fails the whole document, as it does for other players.
func ParseCatalog(b []byte) (Catalog, error) {
	if len(b) > MaxCatalog {
		return Catalog{}, fmt.Errorf("catalog: %w", ErrTooLong)
	}
	var doc catalogJSON
	if err := json.Unmarshal(b, &doc); err != nil {
		return Catalog{}, fmt.Errorf("catalog: %w: %w", ErrMalformed, err)
	}
	if doc.Audio == nil {
		return Catalog{}, nil
	}
	audio, err := doc.Audio.renditions()
	if err != nil {
		return Catalog{}, fmt.Errorf("catalog: %w: %w", ErrMalformed, err)
	}
	return Catalog{Audio: audio}, nil
}

type catalogJSON struct {
	Audio *audioJSON `json:"audio,omitempty"`
}

// audioJSON has two forms: renditions, and one track with its config.
type audioJSON struct {
	Renditions renditionsJSON `json:"renditions,omitempty"`
	Track      *struct {
		Name string `json:"name"`
	} `json:"track,omitempty"`
	Config *configJSON `json:"config,omitempty"`
}

func (a *audioJSON) renditions() ([]Rendition, error) {
	if a.Renditions != nil || a.Track == nil {
		return a.Renditions, nil
	}
	if a.Config == nil {
		return nil, fmt.Errorf("track %q has no config", a.Track.Name)
	}
	r, err := a.Config.rendition(a.Track.Name)
	return []Rendition{r}, err
}

// renditionsJSON is an object from track name to config whose order counts,
// which a Go map would lose.
type renditionsJSON []Rendition

// MarshalJSON implements [json.Marshaler].
func (rs renditionsJSON) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, r := range rs {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(r.Track)
		if err != nil {
			return nil, err
		}
		config, err := json.Marshal(newConfigJSON(r))
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), config...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (rs *renditionsJSON) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.New("renditions are no object")
	}
	*rs = renditionsJSON{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var config configJSON
		if err := d.Decode(&config); err != nil {
			return fmt.Errorf("rendition %q: %w", name, err)
		}
		r, err := config.rendition(name.(string))
		if err != nil {
			return err
		}
		rs.put(r)
	}
	return nil
}

// put adds r. Of two members with one name the second counts, in the place of
// the first, as in JavaScript.
func (rs *renditionsJSON) put(r Rendition) {
	for i := range *rs {
		if (*rs)[i].Track == r.Track {
			(*rs)[i] = r
			return
		}
	}
	*rs = append(*rs, r)
}
