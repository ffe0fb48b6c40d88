// Package voice is a speaker made of nothing: well-formed Opus packets of a given
// size every 20 ms, each stamped with the moment it leaves. It serves whoever
// subscribes, a relay or a listener directly, decodes nothing and keeps nothing.
package voice
