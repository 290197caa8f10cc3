/* An NBD server that touches no data: what the protocol and the kernel's sockets cost, whoever serves.
 * A thread a connection; one receive into 256 KiB, all its requests answered, one send; SO_SNDBUF of 1 MiB: as udm's.
 *   gcc -O2 -pthread -o null-server null-server.c && ./null-server SOCKET BYTES */
#include <endian.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER = 256 << 10, REPLIES = 256 << 10, PAYLOAD = 32 << 20 };
static uint64_t size;

static int get(int fd, void *to, size_t n) {
  while (n > 0) {
    ssize_t got = recv(fd, to, n, MSG_WAITALL);
    if (got <= 0) return 0;
    to = (char *)to + got;
    n -= got;
  }
  return 1;
}

static int put(int fd, const void *from, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    from = (const char *)from + sent;
    n -= sent;
  }
  return 1;
}

static int answer(int fd, uint32_t option, uint32_t type, const void *data, uint32_t length) {
  struct { uint64_t magic; uint32_t option, type, length; } __attribute__((packed)) head =
    { htobe64(0x3e889045565a9), htobe32(option), htobe32(type), htobe32(length) };
  return put(fd, &head, sizeof head) && put(fd, data, length);
}

/* The handshake: GO and structured replies, and nothing else. */
static int handshake(int fd, int *structured) {
  struct { uint64_t magic, option; uint16_t flags; } __attribute__((packed)) greeting =
    { htobe64(0x4e42444d41474943), htobe64(0x49484156454f5054), htobe16(3) };
  uint32_t flags;
  if (!put(fd, &greeting, sizeof greeting) || !get(fd, &flags, 4)) return 0;
  for (;;) {
    struct { uint64_t magic; uint32_t option, length; } __attribute__((packed)) head;
    char data[4096];
    if (!get(fd, &head, sizeof head)) return 0;
    uint32_t option = be32toh(head.option), length = be32toh(head.length);
    if (length > sizeof data || !get(fd, data, length)) return 0;
    if (option == 8) {
      *structured = 1;
      if (!answer(fd, option, 1, "", 0)) return 0;
    } else if (option == 7) {
      struct { uint16_t type; uint64_t size; uint16_t flags; } __attribute__((packed)) info = { 0, htobe64(size), htobe16(1 | 4 | 256) };
      return answer(fd, option, 3, &info, sizeof info) && answer(fd, option, 1, "", 0);
    } else if (!answer(fd, option, 0x80000001, "", 0)) {
      return 0;
    }
  }
}

static void *serve(void *argument) {
  int fd = (int)(intptr_t)argument, room = 1 << 20, structured = 0;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  unsigned char *in = malloc(BUFFER), *out = malloc(REPLIES + PAYLOAD + 64);
  size_t start = 0, end = 0;
  memset(out, 1, REPLIES + PAYLOAD + 64);
  if (!handshake(fd, &structured)) goto out;
  for (;;) {
    ssize_t got = recv(fd, in + end, BUFFER - end, 0);
    if (got <= 0) break;
    end += got;
    size_t used = 0;
    while (end - start >= 28) {
      uint16_t type;
      uint32_t length;
      uint64_t cookie, offset;
      memcpy(&type, in + start + 6, 2);
      memcpy(&cookie, in + start + 8, 8);
      memcpy(&offset, in + start + 16, 8);
      memcpy(&length, in + start + 24, 4);
      type = be16toh(type);
      length = be32toh(length);
      if (type == 2) goto out;
      if (type == 1) {
        size_t here = end - start - 28;
        if (length <= 64 << 10 && here < length) break;
        if (here > length) here = length;
        start += 28 + here;
        for (uint32_t left = length - here; left > 0;) {
          uint32_t part = left < 128 << 10 ? left : 128 << 10;
          if (!get(fd, out + REPLIES, part)) goto out;
          left -= part;
        }
      } else {
        start += 28;
      }
      unsigned char *reply = out + used;
      if (type == 0 && structured) {
        uint32_t magic = htobe32(0x668e33ef), flags = htobe32(1 << 16 | 1), chunk = htobe32(8 + length);
        memcpy(reply, &magic, 4);
        memcpy(reply + 4, &flags, 4);
        memcpy(reply + 8, &cookie, 8);
        memcpy(reply + 16, &chunk, 4);
        memcpy(reply + 20, &offset, 8);
        used += 28 + length;
      } else {
        uint32_t magic = htobe32(0x67446698), error = 0;
        memcpy(reply, &magic, 4);
        memcpy(reply + 4, &error, 4);
        memcpy(reply + 8, &cookie, 8);
        used += 16 + (type == 0 ? length : 0);
      }
      if (used >= 128 << 10) {
        if (!put(fd, out, used)) goto out;
        used = 0;
      }
    }
    if (used > 0 && !put(fd, out, used)) break;
    memmove(in, in + start, end - start);
    end -= start;
    start = 0;
  }
out:
  close(fd);
  free(in);
  free(out);
  return NULL;
}

int main(int count, char **words) {
  if (count != 3) return fprintf(stderr, "null-server SOCKET BYTES\n"), 2;
  size = strtoull(words[2], NULL, 0);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  strncpy(address.sun_path, words[1], sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0) return perror(words[1]), 1;
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    pthread_t thread;
    if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0) pthread_detach(thread);
  }
}
