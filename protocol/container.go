package protocol

import "strings"

// Track names of a broadcast (docs/wire.md, section 14).
const (
	TrackCatalog = "catalog.json"
	TrackAudio   = "audio/data"  // one Opus packet a group
	Track60      = "audio/60ms"  // bundles of 3 packets, made by relays
	Track120     = "audio/120ms" // bundles of 6
)

// AudioTimescale is the timescale of every audio track: microseconds.
const AudioTimescale = 1000000

// IsAudioTrack reports whether a track's name says that it carries audio.
func IsAudioTrack(name string) bool { return strings.HasPrefix(name, "audio/") }

// BundleSize returns how many 20 ms packets one group of a track carries: 1 for
// [TrackAudio], 3 for [Track60], 6 for [Track120], 0 for tracks without audio of
// that form.
func BundleSize(track string) int {
	switch track {
	case TrackAudio:
		return 1
	case Track60:
		return 3
	case Track120:
		return 6
	}
	return 0
}

// A Container is how audio lies in the payload of a frame. A catalog may name
// kinds other than these.
type Container string

// The containers of audio.
const (
	ContainerLegacy Container = "legacy" // ParseLegacy
	ContainerLOC    Container = "loc"    // ParseLOC
	ContainerCMAF   Container = "cmaf"   // fragmented MP4, which Stentor does not read

	// ContainerBundle is ParseBundle: several packets a group. Players that are
	// not Stentor's skip a rendition whose container they do not know.
	ContainerBundle Container = "stentor-bundle"
)
