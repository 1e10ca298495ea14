/* Functions of every shape, called from interop.cs. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <stdio.h>
#include <uchar.h>

struct i1 { int a; };
struct i2 { int a, b; };
struct i3 { int a, b, c; };
struct l2 { long a, b; };
struct l3 { long a, b, c; };
struct f1 { float a; };
struct f2 { float a, b; };
struct f3 { float a, b, c; };
struct f4 { float a, b, c, d; };
struct d1 { double a; };
struct d2 { double a, b; };
struct d3 { double a, b, c; };
struct id { int a; double b; };
struct di { double a; int b; };
struct fi { float a; int b; };
struct fid { float a; int b; double c; };
struct c3 { char a, b, c; };
struct c9 { char a[9]; };
struct sc { short a; char b; };
struct nested { struct f2 a; struct i2 b; };
struct __attribute__((packed)) packed { char a; int b; };
struct fixedf { float v[4]; };
union u { double d; long l; };
struct lf { long a; float b; };

struct i1 i1_next(struct i1 s) { s.a++; return s; }
struct i2 i2_swap(struct i2 s) { struct i2 r = { s.b, s.a }; return r; }
struct i3 i3_turn(struct i3 s) { struct i3 r = { s.b, s.c, s.a }; return r; }
struct l2 l2_swap(struct l2 s) { struct l2 r = { s.b, s.a }; return r; }
struct l3 l3_turn(struct l3 s) { struct l3 r = { s.b, s.c, s.a }; return r; }
struct f1 f1_half(struct f1 s) { s.a /= 2; return s; }
struct f2 f2_swap(struct f2 s) { struct f2 r = { s.b, s.a }; return r; }
struct f3 f3_turn(struct f3 s) { struct f3 r = { s.b, s.c, s.a }; return r; }
struct f4 f4_turn(struct f4 s) { struct f4 r = { s.b, s.c, s.d, s.a }; return r; }
struct d1 d1_half(struct d1 s) { s.a /= 2; return s; }
struct d2 d2_swap(struct d2 s) { struct d2 r = { s.b, s.a }; return r; }
struct d3 d3_turn(struct d3 s) { struct d3 r = { s.b, s.c, s.a }; return r; }
struct di id_to_di(struct id s) { struct di r = { s.b, s.a }; return r; }
struct id di_to_id(struct di s) { struct id r = { s.b, s.a }; return r; }
struct fi fi_add(struct fi s) { s.a += 1; s.b += 2; return s; }
struct fid fid_add(struct fid s) { s.a += 1; s.b += 2; s.c += 3; return s; }
struct c3 c3_turn(struct c3 s) { struct c3 r = { s.b, s.c, s.a }; return r; }
struct c9 c9_reverse(struct c9 s) { struct c9 r; for (int i = 0; i < 9; i++) r.a[i] = s.a[8 - i]; return r; }
struct sc sc_add(struct sc s) { s.a += 1; s.b += 2; return s; }
struct nested nested_swap(struct nested s) { struct nested r = { { s.a.b, s.a.a }, { s.b.b, s.b.a } }; return r; }
struct packed packed_add(struct packed s) { s.a += 1; s.b += 2; return s; }
struct fixedf fixedf_turn(struct fixedf s) { struct fixedf r = { { s.v[1], s.v[2], s.v[3], s.v[0] } }; return r; }
union u u_same(union u s) { return s; }
struct lf lf_add(struct lf s) { s.a += 1; s.b += 2; return s; }

/* Registers run out: two-register structs go to the stack as a whole, later words still take what is left. */
double crowd(int a, struct l2 b, struct l2 c, struct l2 d, int e, struct d2 f, struct d2 g, struct d2 h, double i,
             struct d2 j, double k, struct l3 l, int m, float n)
{
    return a + 2 * b.a + 3 * b.b + 4 * c.a + 5 * c.b + 6 * d.a + 7 * d.b + 8 * e + 9 * f.a + 10 * f.b + 11 * g.a + 12 * g.b
         + 13 * h.a + 14 * h.b + 15 * i + 16 * j.a + 17 * j.b + 18 * k + 19 * l.a + 20 * l.b + 21 * l.c + 22 * m + 23 * n;
}
struct l3 memory_result(int a, int b, int c, int d, int e, int f, int g) { struct l3 r = { a + b + c, d + e, f * 10 + g }; return r; }
long many(long a, long b, long c, long d, long e, long f, long g, long h, double i, double j, double k, double l, double m,
          double n, double o, double p, double q, float r)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n + 15 * o + 16 * p + 17 * q + 18 * r;
}
signed char small_signed(signed char c, short s, unsigned char u, unsigned short w) { return (signed char)(c + s + u + w); }
int same_bool4(int b) { return b == 1 ? 100 : b; }
unsigned char same_bool1(unsigned char b) { return b; }
short same_variant(short b) { return b; }
int bool_garbage(void) { return 0x100; }

/* Callbacks. */
typedef struct d2 (*d2_callback)(struct d2, struct id, int);
struct d2 call_d2(d2_callback f) { struct d2 a = { 1, 2 }; struct id b = { 3, 4 }; return f(a, b, 5); }
typedef struct l3 (*l3_callback)(struct l3, int);
struct l3 call_l3(l3_callback f) { struct l3 a = { 1, 2, 3 }; return f(a, 4); }
typedef struct id (*id_callback)(struct di);
struct id call_id(id_callback f) { struct di a = { 2.5, 7 }; return f(a); }
typedef long (*many_callback)(long, long, long, long, long, long, long, double, double, double, double, double, double, double, double, double, float);
long call_many(many_callback f) { return f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17); }
typedef int (*text_callback)(const char *, const char16_t *);
int call_text(text_callback f) { return f("gr\xc3\xbc\xc3\x9f", u"\u4e16\u754c"); }
typedef char *(*text_result)(int);
int call_text_result(text_result f) { char *s = f(3); int n = (int)strlen(s); free(s); return n; }
typedef void (*ref_callback)(int *, struct i3 *, unsigned char *, char **);
int call_ref(ref_callback f)
{
    int a = 5; struct i3 b = { 1, 2, 3 }; unsigned char c = 0; char *d = "in";
    f(&a, &b, &c, &d);
    int r = a + 10 * b.a + 100 * b.b + 1000 * b.c + 10000 * c + 100000 * (int)strlen(d);
    free(d);
    return r;
}
typedef int (*array_callback)(int, int *, const char **);
int call_array(array_callback f) { int v[3] = { 1, 2, 3 }; const char *t[3] = { "a", "bc", "def" }; int r = f(3, v, t); return r * 100 + v[0]; }
typedef int (*int_callback)(int);
struct job { int_callback f; int n; };
static void *run_job(void *p) { struct job *j = p; j->n = j->f(j->n); return 0; }
int call_on_thread(int_callback f, int n)
{
    pthread_t t; struct job j = { f, n };
    if (pthread_create(&t, 0, run_job, &j)) return -1;
    pthread_join(t, 0);
    return j.n;
}
static int twice(int n) { return 2 * n; }
int_callback get_twice(void) { return twice; }
static struct d2 scaled(struct d2 s, double by) { s.a *= by; s.b *= by; return s; }
void *get_scaled(void) { return scaled; }
static char *joined(const char *a, const char *b) { char *r = malloc(strlen(a) + strlen(b) + 1); strcpy(r, a); return strcat(r, b); }
void *get_joined(void) { return joined; }
int_callback choose(int_callback a, int_callback b, int first) { return first ? a : b; }

/* Text. */
int utf8_length(const char *s) { return s ? (int)strlen(s) : -1; }
int utf16_length(const char16_t *s) { int n = 0; if (!s) return -1; while (s[n]) n++; return n; }
int bstr_bytes(const char16_t *s) { return s ? ((const int *)s)[-1] : -1; }
int ansi_bstr_bytes(const char *s) { return s ? ((const int *)s)[-1] : -1; }
char *new_utf8(int n) { if (n < 0) return 0; char *s = malloc(n + 1); memset(s, 'x', n); s[n] = 0; return s; }
char16_t *new_utf16(int n) { char16_t *s = malloc(2 * n + 2); for (int i = 0; i < n; i++) s[i] = 0x4e16; s[n] = 0; return s; }
void replace_text(char **s) { char *r = malloc(strlen(*s) + 2); strcpy(r, *s); strcat(r, "!"); free(*s); *s = r; }
void out_text(char16_t **s) { *s = new_utf16(2); }
void fill_utf8(char *s, int n) { memset(s, 'y', n); s[n] = 0; }
void upper_utf16(char16_t *s) { for (; *s; s++) if (*s >= 'a' && *s <= 'z') *s -= 32; }
int char_code(unsigned char c) { return c; }
int wide_code(char16_t c) { return c; }

/* Arrays. */
long sum(const int *v, int n) { long r = 0; for (int i = 0; i < n; i++) r += v[i]; return r; }
void square(int *v, int n) { for (int i = 0; i < n; i++) v[i] *= v[i]; }
int count_true(const int *v, int n) { int r = 0; for (int i = 0; i < n; i++) r += v[i] == 1; return r; }
void flip(int *v, int n) { for (int i = 0; i < n; i++) v[i] = !v[i]; }
void flip_bytes(unsigned char *v, int n) { for (int i = 0; i < n; i++) v[i] = !v[i]; }
int total_length(const char **v, int n) { int r = 0; for (int i = 0; i < n; i++) r += v[i] ? (int)strlen(v[i]) : 1000; return r; }
void name_all(char **v, int n) { for (int i = 0; i < n; i++) { free(v[i]); v[i] = malloc(8); snprintf(v[i], 8, "n%d", i); } }
void make_array(int **v, int *n) { *n = 4; *v = malloc(16); for (int i = 0; i < 4; i++) (*v)[i] = 10 * i; }

/* Structs with other bytes. */
struct person { char *name; int age; unsigned char is_old; int is_known; char16_t initial; };
int person_score(struct person *p) { return p ? (int)strlen(p->name) * 1000 + p->age + 100 * p->is_old + 10 * p->is_known : -1; }
void person_birthday(struct person *p) { p->age++; p->is_old = p->age > 40; p->is_known = 1; free(p->name); p->name = strdup("renamed"); }
int person_by_value(struct person p) { return person_score(&p); }
struct person person_make(int age) { struct person p = { strdup("made"), age, 1, 0, 'M' }; return p; }
typedef struct person (*person_callback)(struct person *, struct person);
int call_person(person_callback f)
{
    struct person a = { "Ada", 40, 1, 0, 'A' }, b = { "Bob", 20, 0, 1, 'B' };
    struct person r = f(&a, b);
    int s = person_score(&r) * 10 + (a.age == 41 && !strcmp(a.name, "Ada Lovelace"));
    free(r.name);
    return s;
}
void person_fill(struct person *p, int age) { *p = person_make(age); }
struct record { int id; char tag[8]; short values[3]; char16_t wide[4]; };
int record_sum(const struct record *r) { return r->id + (int)strlen(r->tag) * 100 + (r->values[0] + r->values[1] + r->values[2]) * 1000; }
void record_change(struct record *r) { r->id *= 2; strcpy(r->tag, "changed"); r->values[1] = 77; }
struct bw { int flag; };
struct bw bw_not(struct bw s) { s.flag = s.flag == 1 ? 0 : 1; return s; }
struct with_function { int n; int_callback f; };
int call_member(struct with_function *s) { return s->f(s->n); }
void set_member(struct with_function *s) { s->f = twice; }
int sum_records(const struct record *r, int n) { int t = 0; for (int i = 0; i < n; i++) t += r[i].id; return t; }
struct pair { int a; short b; };
void pairs_add(struct pair *p, int n) { for (int i = 0; i < n; i++) { p[i].a += 1; p[i].b += 2; } }

/* Handles and the rest. */
static int open_handles;
long open_handle(int n) { if (n < 0) return -1; open_handles++; return 1000 + n; }
void open_handle_out(int n, long *h) { *h = open_handle(n); }
int close_handle(long h) { open_handles--; return 1; }
int use_handle(long h) { return (int)(h - 1000); }
int count_handles(void) { return open_handles; }
int fail_with(int code) { errno = code; return -1; }
int hresult(int value, int *result) { if (value < 0) return (int)0x80070057; *result = value + 1; return 0; }
int hresult_only(int fail) { return fail ? (int)0x80004001 : 0; }
int hresult_of(long h, int fail) { return hresult_only(fail); }
int custom_total(const int *v) { int t = 0; for (int i = 1; i <= v[0]; i++) t += v[i]; return t; }
int *custom_make(int n) { static int v[4]; v[0] = 3; v[1] = n; v[2] = n + 1; v[3] = n + 2; return v; }
int guid_first(const int *g) { return g[0]; }

/* Names. */
int pick(void) { return 1; }
int pickW(void) { return 2; }
int narrowA(void) { return 3; }
int new_name(void) { return 4; }
