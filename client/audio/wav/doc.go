// Package wav reads and writes WAV files (RIFF WAVE) as 32-bit floating point
// samples, mono or stereo, at any rate. It reads forward only, so pipes will do,
// and never changes a rate or mixes channels.
package wav
