package client

import (
	"fmt"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A choice is what a listener takes of what a catalog offers.
type choice struct {
	source protocol.Rendition // one packet a group
	bundle protocol.Rendition // several a group; no Track: none is wanted or offered
}

// choose picks from a catalog what this package can receive, and of that the
// bundles of want if there are some. The error says what there was instead.
func choose(c protocol.Catalog, want time.Duration) (choice, error) {
	var ch choice
	for _, container := range []protocol.Container{protocol.ContainerLegacy, protocol.ContainerLOC} {
		for _, r := range c.Audio {
			if ch.source.Track == "" && r.Container == container && playable(r) {
				ch.source = r
			}
		}
	}
	if ch.source.Track == "" {
		return choice{}, fmt.Errorf("no Opus rendition that can be played: %s", offers(c))
	}
	for _, r := range c.Audio {
		size := protocol.BundleSize(r.Track)
		if size > 1 && time.Duration(size)*FrameDuration == want &&
			r.Container == protocol.ContainerBundle && playable(r) {
			ch.bundle = r
		}
	}
	return ch, nil
}

// playable says whether a decoder can do with a rendition. One that lies in
// another broadcast is passed over.
func playable(r protocol.Rendition) bool {
	return r.Codec == "opus" && r.Broadcast == "" && (r.Channels == 1 || r.Channels == 2)
}

// offers lists a catalog's renditions for an error message. What a stranger
// wrote is quoted, and not at any length.
func offers(c protocol.Catalog) string {
	if len(c.Audio) == 0 {
		return "it offers no audio"
	}
	var list []string
	for i, r := range c.Audio {
		if i == 4 {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprintf("%.40q (codec %.20q, container %.20q, %d channels)", r.Track, r.Codec, r.Container, r.Channels))
	}
	return "it offers " + strings.Join(list, ", ")
}
