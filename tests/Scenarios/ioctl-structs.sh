# under udm run: the control node's ioctls with structs that are short, overlong, torn or at random: errno and answer of each.
dmsetup create there --table "0 8 zero" --uuid u-there
perl - "${ROUNDS:-500}" "${SEED:-1}" <<'PERL'
use strict; use Fcntl;
my ($rounds, $state) = @ARGV;
sub below { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return ($state >> 8) % $_[0] }
sub one { return $_[below(scalar @_)] }
sysopen(my $control, "/dev/mapper/control", O_RDWR) or die "control: $!";
my $size = 305;
# a struct dm_ioctl with a payload, in a buffer of at least 16 KiB
sub make {
  my (%f) = @_;
  my $head = pack("L3 L L L l L L L Q a128 a129 x7", @{$f{version} // [4, 0, 0]}, $f{size} // 16384, $f{start} // 312, $f{targets} // 0, 0,
    $f{flags} // 0, $f{event} // 0, 0, $f{dev} // 0, $f{name} // "", $f{uuid} // "");
  my $all = $head . ($f{payload} // "");
  return $all . "\0" x (16384 - length $all);
}
sub call {
  my ($label, $number, $buffer) = @_;
  my $before = $buffer;
  my $result = ioctl($control, $number, $buffer);
  my ($major, $minor, $patch, $data, $start, $targets, $open, $flags, $event) = unpack("L3 L L L l L L", $buffer);
  my ($name, $uuid) = unpack("x48 Z128 Z129", $buffer);
  $flags &= ~0x2000; # the kernel has sent a uevent
  my $told = defined $result ? "ok size=$data start=$start targets=$targets flags=" . sprintf("%x", $flags) . " name=$name uuid=$uuid" : "failed " . ($! + 0);
  # a refusal writes the version only
  $told .= " changed" if !defined $result && substr($before, 12) ne substr($buffer, 12);
  $told .= " version=$major" if $major != 4 || $minor < 40;
  print "$label: $told\n";
}
my %known = (version => 0, list => 2, create => 3, remove => 4, rename => 5, suspend => 6, status => 7, load => 9, clear => 10, deps => 11, table => 12,
  versions => 13, message => 14, geometry => 15, arm => 16, target => 17);
sub number { return 0xc0000000 | 312 << 16 | 0xfd00 | $_[0] }

print "- sizes\n";
for my $name (sort keys %known) { for my $s (0, 1, 304, 305, 311, 312, 313, 320, 1073741825, 4294967295) {
  next if $name eq "remove" || $name eq "create" || $name eq "versions" || $name eq "list";
  call("$name size $s", number($known{$name}), make(name => "there", size => $s));
} }
print "- versions\n";
for my $v ([0, 0, 0], [3, 0, 0], [4, 0, 0], [4, 9999, 0], [5, 0, 0], [4, 0, 9999], [4294967295, 0, 0]) { for my $name ("version", "status", "list") {
  my $buffer = make(name => "there", version => $v); my $result = ioctl($control, number($known{$name}), $buffer);
  print "$name @$v: ", defined $result ? "ok" : "failed " . ($! + 0), "\n";
} }
print "- numbers\n";
for my $n (18, 19, 100, 255) { call("command $n", number($n), make(name => "there")) }
for my $n (0xfd07, 0x4000fd07, 0x8138fd07, 0xffffff07 & 0xfffffd07) { call(sprintf("number %x", $n), $n, make(name => "there")) }
print "- who\n";
my $dev = (stat "/dev/mapper/there")[6]; $dev = ($dev & 0xff) | ($dev >> 8 & 0xfff) << 8;
call("name", number(7), make(name => "there")); call("uuid", number(7), make(uuid => "u-there")); call("number", number(7), make(dev => $dev));
call("name and uuid", number(7), make(name => "there", uuid => "u-there")); call("nothing", number(7), make()); call("no such", number(7), make(name => "x"));
call("name and number", number(7), make(name => "there", dev => $dev)); call("number of nobody", number(7), make(dev => 1 << 60));
call("name without end", number(7), make(name => "n" x 128)); call("uuid without end", number(7), make(uuid => "u" x 129));
call("a slash", number(3), make(name => "a/b")); call("no name", number(3), make()); call("twice", number(3), make(name => "there"));
print "- tables\n";
sub target { my ($start, $length, $type, $words, $next) = @_; my $t = pack("Q Q l L a16", $start, $length, 0, 0, $type) . "$words\0"; $t .= "\0" while length($t) % 8;
  substr($t, 20, 4) = pack("L", $next // length $t); return $t }
for my $case (["good", 1, target(0, 8, "zero", "")], ["none", 0, ""], ["more than there are", 3, target(0, 8, "zero", "")], ["next 0", 2, target(0, 8, "zero", "", 0)],
    ["next beyond", 2, target(0, 8, "zero", "", 1 << 30)], ["next is odd", 2, target(0, 8, "zero", "", 41) . target(8, 8, "zero", "")], ["next within", 2, target(0, 8, "zero", "", 8)],
    ["type without end", 1, target(0, 8, "z" x 16, "")], ["no length", 1, target(0, 0, "zero", "")], ["a gap", 2, target(0, 8, "zero", "") . target(16, 8, "zero", "")],
    ["too long", 1, target(0, 0xffffffffffffffff, "zero", "")]) {
  my ($label, $targets, $payload) = @$case;
  call("load $label", number(9), make(name => "there", targets => $targets, payload => $payload));
  call("clear", number(10), make(name => "there"));
}
for my $start (0, 100, 304, 305, 312, 313, 16380, 16384, 20000, 4294967295) {
  call("load from $start", number(9), make(name => "there", targets => 1, start => $start, payload => target(0, 8, "zero", "")));
  call("message from $start", number(14), make(name => "there", start => $start, payload => pack("Q", 0) . "\@stats_list\0"));
  call("rename from $start", number(5), make(name => "there", start => $start, payload => "there\0"));
  call("geometry from $start", number(15), make(name => "there", start => $start, payload => "1 2 3 4\0"));
}
my $full = make(name => "there", start => 312, size => 16384, payload => pack("Q", 0) . "a" x (16384 - 320)); call("message without end", number(14), $full);
$full = make(name => "there", start => 312, size => 16384, payload => "a" x (16384 - 312)); call("name without end", number(5), $full); call("geometry without end", number(15), $full);
print "- at random\n";
my @names = sort keys %known;
for my $round (1 .. $rounds) {
  my $name = one(@names);
  my %f = (size => one(305, 312, 320, 1000, 16384, 16384, below(400), below(16384)), start => one(312, 312, 305, below(400), below(20000)), targets => below(4),
    flags => one(0, 0, 1 << below(20)) & ~(1 << 1), event => below(3), name => one("there", "there", "", "d" . below(3)), uuid => one("", "", "", "u-there"),
    payload => join("", map { chr($name eq "rename" ? 97 + below(26) : below(256)) } 1 .. below(200)));
  $f{version} = [one(4, 4, 4, 5), below(3), 0];
  my $buffer = make(%f);
  for (1 .. below(3)) { my $at = below(312); next if $at >= 12 && $at < 36 || $at >= 48; substr($buffer, $at, 1) = chr below(256) } # the sizes and the flags are at random already
  my $result = ioctl($control, number($known{$name}), $buffer);
  my ($data, $start, $targets, $open, $flags) = unpack("x12 L L L l L", $buffer);
  $data = "some" if $name eq "versions" && !($flags & 0x100); # as many as there are target types
  $flags &= ~0x2000; # the kernel has sent a uevent
  print "$round $name ", defined $result ? "ok $data $start $targets " . sprintf("%x", $flags) : "failed " . ($! + 0), "\n";
}
PERL
dmsetup ls | cut -f 1
