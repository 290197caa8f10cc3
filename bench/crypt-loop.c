// What libcrypto does in a plain loop, for bench/crypt: crypt-loop xts SECTOR_SIZE read|write THREADS SECONDS | verity seq|random THREADS SECONDS
// Prints MB in a second of a thread's processor time, and MB in a second of time by all threads.
#define _GNU_SOURCE
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUN = 32 << 10, BLOCKS = 32, OFTEN = 64 }; // bytes of a run of sectors; blocks of a large read; runs between two looks at the clock

static int verity, sector_size, writes, sequential;
static double seconds;
static unsigned char *data; // of verity: the buffer of a read, which was just filled

typedef struct { double bytes, processor, time; } worker;

static double now(clockid_t clock) { struct timespec t; clock_gettime(clock, &t); return t.tv_sec + t.tv_nsec / 1e9; }

// A run of sectors, an IV for each; the ciphertext goes elsewhere, a read is in place: as crypt does it.
static void sectors(EVP_CIPHER_CTX *context, unsigned char *from, unsigned char *to, uint64_t sector) {
  for (int at = 0; at < RUN; at += sector_size, sector += sector_size / 512) {
    unsigned char iv[16] = { 0 };
    int length;
    memcpy(iv, &sector, 8);
    EVP_CipherInit_ex2(context, NULL, NULL, iv, -1, NULL);
    EVP_CipherUpdate(context, to + at, &length, from + at, sector_size);
  }
}

static void digest(EVP_MD_CTX *context, const EVP_MD *md, const unsigned char *salt, const unsigned char *block, const unsigned char *expected) {
  unsigned char value[32];
  EVP_DigestInit_ex2(context, md, NULL);
  EVP_DigestUpdate(context, salt, 32);
  EVP_DigestUpdate(context, block, 4096);
  EVP_DigestFinal_ex(context, value, NULL);
  if (!memcmp(value, expected, 32)) abort(); // never: keeps it from being left out
}

static void *work(void *argument) {
  worker *self = argument;
  unsigned char key[64], *from = aligned_alloc(4096, 2 * RUN), *to = writes ? from + RUN : from;
  static const unsigned char zero[32];
  for (int i = 0; i < 64; i++) key[i] = i;
  memset(from, 1, 2 * RUN);
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  EVP_MD *sha = EVP_MD_fetch(NULL, "SHA2-256", NULL);
  EVP_CIPHER *xts = EVP_CIPHER_fetch(NULL, "AES-256-XTS", NULL);
  EVP_CipherInit_ex2(cipher, xts, key, NULL, writes, NULL);
  uint64_t at = 0;
  double start = now(CLOCK_MONOTONIC), processor = now(CLOCK_THREAD_CPUTIME_ID);
  while (now(CLOCK_THREAD_CPUTIME_ID) < processor + seconds) {
    for (int i = 0; i < OFTEN; i++) {
      if (!verity) { sectors(cipher, from, to, at++ * (RUN / 512)); continue; }
      at = sequential ? (at + 1) % BLOCKS : 0;
      digest(md, sha, key, data + at * 4096, zero);
    }
    self->bytes += (double)OFTEN * (verity ? 4096 : RUN);
  }
  self->processor = now(CLOCK_THREAD_CPUTIME_ID) - processor;
  self->time = now(CLOCK_MONOTONIC) - start;
  return NULL;
}

int main(int count, char **words) {
  verity = count == 5 && !strcmp(words[1], "verity");
  if (!verity && !(count == 6 && !strcmp(words[1], "xts"))) { fprintf(stderr, "wrong usage\n"); return 2; }
  sector_size = verity ? 0 : atoi(words[2]);
  writes = !verity && !strcmp(words[3], "write");
  sequential = verity && !strcmp(words[2], "seq");
  int threads = atoi(words[verity ? 3 : 4]);
  seconds = atof(words[verity ? 4 : 5]);
  data = malloc(BLOCKS * 4096);
  memset(data, 7, BLOCKS * 4096);
  pthread_t ids[64];
  worker workers[64] = { 0 };
  double bytes = 0, processor = 0, time = 0;
  for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, work, &workers[i]);
  for (int i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    bytes += workers[i].bytes; processor += workers[i].processor;
    if (workers[i].time > time) time = workers[i].time;
  }
  printf("%.0f %.0f\n", bytes / processor / 1e6, bytes / time / 1e6);
}
