#!/bin/sh
# Makes client/audio/sample/voice.opus, the clip that the demo speaks: a synthetic
# voice by espeak-ng, encoded in packets of 20 ms by opusenc. It is in the
# repository; run this only to change the text. On Debian:
#
#   apt-get install espeak-ng opus-tools
#   scripts/make-sample-voice.sh
set -eu

cd "$(dirname "$0")/.."
out=client/audio/sample/voice.opus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in espeak-ng opusenc; do
	command -v "$tool" >/dev/null || { echo "please install $tool" >&2; exit 1; }
done

# The breaks let a listener tell one round of a loop from the next.
cat >"$work/text.ssml" <<'TEXT'
<speak>
Good day. I am Stentor, the herald.
<break time="300ms"/>
Before the walls of Troy, they say, my voice was as loud as the voices of fifty men.
<break time="300ms"/>
Today I carry the words of a few people to the ears of very many.
<break time="250ms"/>
Each word travels to you along two separate paths,
so that when a machine dies, nobody in the room has to notice.
<break time="300ms"/>
If you have heard every word until now, then all is well.
<break time="900ms"/>
</speak>
TEXT

espeak-ng -v en-gb -s 148 -p 42 -g 2 -a 90 -m -f "$work/text.ssml" -w "$work/voice.wav"

# A fixed serial number, so that the same tools make the same file.
opusenc --quiet --bitrate 32 --framesize 20 --serial 1 \
	--title "The herald" --artist "espeak-ng (synthetic voice)" \
	"$work/voice.wav" "$out"

ls -l "$out"
