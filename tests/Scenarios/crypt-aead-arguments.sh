# crypt: authenticated encryption: what it asks of the integrity device below, of cipher, key and tag; what it shows. (gcm with integrity_key_size crashes the kernel.)
a=$(disk a 4M); i=$(blk i)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
low() { dmsetup remove i 2>/dev/null; dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct conv=notrunc status=none; flush "$a"; echo "- integrity $*"; try dmsetup create i --table "0 1024 integrity $a 0 $*"; }
load() { # CIPHER BYTES-OF-KEY TAG [OPTIONS]
  local c=$1 k=$2 t=$3; shift 3; echo "> $c $k $t $*"
  if e=$(dmsetup load x --table "0 1024 crypt $c ${K:0:$((k * 2))} 0 ${D:-$i} 0 $(($# + 1)) integrity:$t $*" 2>&1); then dmsetup table --inactive x | norm; else echo "failed $(errno_of <<<"$e")"; fi
}
dmsetup create x --notable
A="capi:authenc(hmac(sha256),xts(aes))"
echo "- a device without a profile"; D=$a load "$A-plain64" 64 32:aead; D=$a load "$A-plain64" 96 32:aead; D=$a load aes-xts-random 32 16:none
low 4 D 1 internal_hash:crc32c; load "$A-plain64" 96 4:aead
low 48 D 0
for t in 32 48 49 16 33; do load "$A-plain64" 96 $t:aead; done
for t in 48 47 49 16 32 8; do load "$A-random" 96 $t:aead; done
load "$A-plain64" 64 32:aead; load "$A-random" 31 48:aead; load "$A-plain64" 80 32:aead integrity_key_size:16; load "$A-plain64" 96 32:aead integrity_key_size:16; load "$A-plain64" 64 32:aead integrity_key_size:64; load "$A-plain64" 64 32:aead integrity_key_size:65
load "$A-plain64" 96 32:AEAD; load "$A-plain64" 96 32:aead sector_size:4096; load "$A" 96 32:aead; load "$A-benbi" 96 32:aead; load "$A-eboiv" 96 32:aead; load "$A-elephant" 96 32:aead; load "$A-essiv:sha256" 96 32:aead
load "capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256" 64 32:aead; load "capi:authenc(cmac(aes),xts(aes))-plain64" 80 16:aead; load "capi:authenc(sha256,xts(aes))-plain64" 96 32:aead; load "capi:authenc(hmac(sha256),aes)-plain64" 96 32:aead; load "capi:authenc(hmac(sha256),ecb(aes))-plain64" 64 32:aead
for t in 28 27 24 12 11 29; do load "capi:gcm(aes)-random" 32 $t:aead; done
for t in 16 4 12; do load "capi:gcm(aes)-plain64" 16 $t:aead; done
load "capi:gcm(aes)-random" 33 28:aead; load "capi:gcm(camellia)-random" 32 28:aead; load "capi:gcm(foo)-random" 32 28:aead
load "capi:rfc7539(chacha20,poly1305)-random" 32 28:aead; load "capi:rfc7539(chacha20,poly1305)-random" 32 24:aead; load "capi:rfc7539(chacha20,poly1305)-random" 16 28:aead
load "capi:xts(aes)-random" 64 48:aead; load "aes-gcm-random" 32 28:aead
for t in 16 48 8 49; do load aes-xts-random 64 $t:none; done; load aes-xts-plain64 64 49:none; load aes-xts-random 64 16:none sector_size:4096
low 48 D 1 block_size:4096
load "$A-plain64" 96 32:aead; load "$A-plain64" 96 32:aead sector_size:4096; load "$A-plain64" 96 32:aead iv_large_sectors sector_size:4096
dmsetup remove x; dmsetup remove i
