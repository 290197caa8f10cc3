# verity: which signatures of a root hash are refused, and how. (None is accepted: the kernel trusts no certificate of ours.)
a=$(disk a 1M); h=$(disk h 1M); x=$(blk x); cd "$SCRATCH"
R=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
keyctl session - >/dev/null 2>&1 <<<"" || true
keyctl link @u @s 2>/dev/null || true
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=verity -days 3650 2>/dev/null
printf %s $R >root
sign() { openssl cms -sign -signer cert.pem -inkey key.pem -binary -in root -outform der "$@"; }
sign -nocerts -noattr -out plain
sign -nocerts -nosmimecap -out attributes
sign -nocerts -out capabilities
sign -nocerts -noattr -keyid -out keyid
sign -noattr -out carried
sign -nocerts -noattr -nodetach -out attached
sign -nocerts -noattr -econtent_type pkcs7-encryptedData -out type
openssl crl2pkcs7 -nocrl -certfile cert.pem -outform der -out unsigned
openssl x509 -in cert.pem -outform der -out certificate
openssl smime -sign -signer cert.pem -inkey key.pem -nocerts -noattr -binary -in root -outform der -out smime
{ cat plain; echo more; } >longer; head -c -1 plain >shorter; printf x >short; cat root >text
dmsetup create x --notable
load() { echo "> $*"; try dmsetup load x --readonly --table "0 2048 verity 1 $a $h 4096 4096 256 0 sha256 $R - ${*//\#/$h}"; }
for s in plain smime attributes capabilities keyid carried attached type unsigned certificate longer shorter short text; do
  keyctl padd user udm:$s @u <$s >/dev/null; load 2 root_hash_sig_key_desc udm:$s; keyctl purge user udm:$s >/dev/null 2>&1
done
echo "- names, and what comes first"
for s in text plain; do keyctl padd user udm:$s @u <$s >/dev/null; done
load 3 root_hash_sig_key_desc udm:text foo; load 3 root_hash_sig_key_desc udm:nosuch foo; load 3 foo root_hash_sig_key_desc udm:nosuch
load 2 ROOT_HASH_SIG_KEY_DESC udm:text; load 2 root_hash_sig_key_desc udm:tex; load 2 root_hash_sig_key_desc user:udm:text
load 4 root_hash_sig_key_desc udm:text root_hash_sig_key_desc udm:plain; load 4 root_hash_sig_key_desc udm:plain root_hash_sig_key_desc udm:text
load 4 root_hash_sig_key_desc udm:text root_hash_sig_key_desc udm:nosuch; load 4 root_hash_sig_key_desc udm:nosuch root_hash_sig_key_desc udm:text
load 3 root_hash_sig_key_desc udm:text root_hash_sig_key_desc
load 10 root_hash_sig_key_desc udm:text use_fec_from_device "#" fec_roots 2 fec_blocks 600 fec_start 3
for s in text plain; do keyctl purge user udm:$s >/dev/null 2>&1; done
try dmsetup table --inactive x; try dmsetup remove x
