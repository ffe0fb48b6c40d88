package protocol

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// speech is the rendition that every publisher of speech has.
var speech = Rendition{
	Track: TrackAudio, Codec: "opus", SampleRate: 48000, Channels: 1, Bitrate: 32000,
	Container: ContainerLegacy, Jitter: 20 * time.Millisecond,
}

func sameCatalog(a, b Catalog) bool { return slices.Equal(a.Audio, b.Audio) }

func TestCatalogKeepsTheOrderOfRenditions(t *testing.T) {
	// Neither sorted nor reversed: a map would not give it back.
	want := Catalog{Audio: []Rendition{speech, speech, speech, speech}}
	for i, track := range []string{"audio/data", "audio/60ms", "audio/120ms", `"quoted\name"`} {
		want.Audio[i].Track = track
	}
	want.Audio[1].Container, want.Audio[1].Jitter = ContainerBundle, 60*time.Millisecond
	want.Audio[2].Container, want.Audio[2].Jitter = ContainerBundle, 120*time.Millisecond
	want.Audio[3].Broadcast = "../elsewhere"
	got, err := ParseCatalog(want.JSON())
	if err != nil || !sameCatalog(got, want) {
		t.Errorf("%s\n got %+v, %v\nwant %+v", want.JSON(), got, err, want)
	}
	if r, ok := got.Rendition(Track60); !ok || r != want.Audio[1] {
		t.Errorf("Rendition = %+v, %v", r, ok)
	}
	if r, ok := got.Rendition("video"); ok {
		t.Errorf("found %+v", r)
	}
}

func TestParseCatalog(t *testing.T) {
	minimal := Rendition{
		Track: "a", Codec: "opus", SampleRate: 48000, Channels: 2, Container: ContainerLegacy,
	}
	with := func(change func(*Rendition)) []Rendition {
		r := minimal
		change(&r)
		return []Rendition{r}
	}
	const required = `"codec":"opus","sampleRate":48000,"numberOfChannels":2`
	audio := func(config string) string {
		return `{"audio":{"renditions":{"a":{` + config + `}}}}`
	}
	tests := []struct {
		name string
		doc  string
		want []Rendition
	}{
		{"nothing", `{}`, nil},
		{"no renditions", `{"audio":{"renditions":{}}}`, nil},
		{"only what is required", audio(required), with(func(*Rendition) {})},
		{"old form", `{"audio":{"track":{"name":"a"},"config":{` + required + `}}}`, with(func(*Rendition) {})},
		{"video too", `{"video":{"renditions":{}},"audio":{"renditions":{"a":{` + required + `}}}}`,
			with(func(*Rendition) {})},
		{"members nobody knows", audio(required + `,"description":"4f70","timeline":{"track":"t"},"x":[1]`),
			with(func(*Rendition) {})},
		{"a container nobody knows", audio(required + `,"container":{"kind":"new","init":"AAAA"}`),
			with(func(r *Rendition) { r.Container = "new" })},
		{"another codec", audio(`"codec":"mp4a.40.2","sampleRate":44100,"numberOfChannels":6`),
			with(func(r *Rendition) { r.Codec, r.SampleRate, r.Channels = "mp4a.40.2", 44100, 6 })},
		{"longest jitter", audio(required + `,"jitter":4294967295`),
			with(func(r *Rendition) { r.Jitter = 4294967295 * time.Millisecond })},
		{"the second of two", `{"audio":{"renditions":{"a":{"codec":"x","sampleRate":1,"numberOfChannels":1},"a":{` +
			required + `}}}}`, with(func(*Rendition) {})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseCatalog([]byte(tt.doc))
			if err != nil || !slices.Equal(got.Audio, tt.want) {
				t.Fatalf("got %+v, %v, want %+v", got.Audio, err, tt.want)
			}
			again, err := ParseCatalog(got.JSON())
			if err != nil || !sameCatalog(again, got) {
				t.Errorf("%s comes back as %+v, %v", got.JSON(), again, err)
			}
		})
	}
}

func TestParseCatalogRefuses(t *testing.T) {
	audio := func(config string) string {
		return `{"audio":{"renditions":{"a":{` + config + `}}}}`
	}
	tests := []struct{ name, doc string }{
		{"no JSON", `audio`},
		{"nothing at all", ``},
		{"a list", `[]`},
		{"more than one document", `{}{}`},
		{"audio is a string", `{"audio":"a"}`},
		{"renditions is a list", `{"audio":{"renditions":[]}}`},
		{"renditions is null", `{"audio":{"renditions":null}}`},
		{"a rendition is a number", `{"audio":{"renditions":{"a":1}}}`},
		{"codec missing", audio(`"sampleRate":48000,"numberOfChannels":1`)},
		{"codec is a number", audio(`"codec":1,"sampleRate":48000,"numberOfChannels":1`)},
		{"sampleRate missing", audio(`"codec":"opus","numberOfChannels":1`)},
		{"sampleRate is a string", audio(`"codec":"opus","sampleRate":"48000","numberOfChannels":1`)},
		{"sampleRate is a fraction", audio(`"codec":"opus","sampleRate":4.8,"numberOfChannels":1`)},
		{"sampleRate is negative", audio(`"codec":"opus","sampleRate":-1,"numberOfChannels":1`)},
		{"numberOfChannels missing", audio(`"codec":"opus","sampleRate":48000`)},
		{"numberOfChannels is 0", audio(`"codec":"opus","sampleRate":48000,"numberOfChannels":0`)},
		{"jitter beyond 32 bits", audio(`"codec":"opus","sampleRate":48000,"numberOfChannels":1,"jitter":4294967296`)},
		{"container is a string", audio(`"codec":"opus","sampleRate":48000,"numberOfChannels":1,"container":"legacy"`)},
		{"container without kind", audio(`"codec":"opus","sampleRate":48000,"numberOfChannels":1,"container":{}`)},
		{"old form without config", `{"audio":{"track":{"name":"a"}}}`},
		{"old form, config incomplete", `{"audio":{"track":{"name":"a"},"config":{"codec":"opus"}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := ParseCatalog([]byte(tt.doc)); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %+v, %v, want ErrMalformed", got, err)
			}
		})
	}
}

func TestCatalogLimit(t *testing.T) {
	fits := fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", MaxCatalog-len(`{"x":""}`)))
	if _, err := ParseCatalog(fits); err != nil {
		t.Errorf("%d bytes: %v", len(fits), err)
	}
	if _, err := ParseCatalog(append(fits, ' ')); !errors.Is(err, ErrTooLong) {
		t.Errorf("%d bytes: %v, want ErrTooLong", len(fits)+1, err)
	}
}
