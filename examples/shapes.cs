// Shapes that optimizations must leave alone: aliases, stores in loops, exceptions in the middle, unions, struct copies, bounds.
// Each method is one shape; what counts is that all tiers agree.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
[StructLayout(LayoutKind.Explicit)] struct U { [FieldOffset(0)] public int i; [FieldOffset(0)] public float f; [FieldOffset(4)] public int j; [FieldOffset(0)] public long l; }
struct In { public int x; public short y; } struct Out { public In a; public In b; public string s; public int Total(){ return a.x+a.y+b.x+b.y+(s==null?0:s.Length);} public void Bump(){ a.x++; b.y--; } }
class C0 { public int f; public int[] arr; public Out o; public static int st; public int Get(){return f;} public virtual int V(){return 1;} }
class C1 : C0 { public override int V(){return 2;} }
class Init { public static int order; public static int val; static Init(){ order=++Shapes.clock; val=Shapes.clock*10; } public static int Read(){return val;} }
struct Gen<T> { public T v; public int n; public Gen(T t){v=t;n=1;} public T Get(){n++;return v;} }
static class Shapes {
  public static int clock; public static int Tick(){ return ++clock; }
  static void SetF(C0 c,int v){ c.f=v; }
  static int AliasLoop(C0 c, C0 d){ int s=0; for(int i=0;i<5;i++){ s=s*3+c.f; d.f=i; } return s; }
  static int AliasRef(ref int r, C0 c){ int s=0; for(int i=0;i<4;i++){ s+=c.f; r+=2; s*=2; } return s; }
  static int StaticLoop(int n){ int s=0; for(int i=0;i<n;i++){ s+=C0.st; Bump(); } return s; }
  static void Bump(){ C0.st+=3; }
  static int ArrSwap(C0 c){ int s=0; for(int i=0;i<6;i++){ s+=c.arr[i%c.arr.Length]; if(i==2) c.arr=new int[]{100,200}; } return s; }
  static int Union(int n){ U u=new U(); int s=0; for(int i=0;i<n;i++){ u.f=i*1.5f; s^=u.i; u.i+=7; s+=(int)u.f; u.j=i; s^=(int)(u.l>>32); u.l=i; s+=u.i; } return s; }
  static int StructMix(int n){ Out[] a=new Out[3]; C0 c=new C0(); for(int i=0;i<n;i++){ Out o=a[i%3]; o.a.x+=i; o.b.y=(short)(o.b.y+40000); o.s="s"+i; o.Bump(); a[(i+1)%3]=o; c.o=o; c.o.Bump(); o=c.o; a[i%3].a=o.b; } int t=0; foreach(Out o in a) t=t*7+o.Total(); return t+c.o.Total(); }
  static int Ternary(object o){ int k = o is C1 ? ((C0)o).V()*10 : o is C0 ? ((C0)o).V() : -1; return k; }
  static int TryLoop(int[] a){ int s=0; int i=0; while(true){ try { s+=a[i]; i++; if(i==3) throw new ArgumentException("q"); } catch(ArgumentException){ s+=1000; } catch(IndexOutOfRangeException){ s+=i; break; } } return s; }
  static int NestedTry(int n){ int x=0; try { try { x=1; if(n==1) throw new Exception(); x=2; Thrower(n); x=3; } catch(InvalidOperationException) when (n==2) { x+=10; } finally { x+=100; if(n==3) x+=5; } } catch(Exception){ x+=1000; } return x; }
  static void Thrower(int n){ if(n>1) throw new InvalidOperationException(); }
  static int EarlyExit(C0[] cs){ int s=0; foreach(C0 c in cs){ if(c==null) return -s-1; s+=c.f; } return s; }
  static int GuardedNull(C0 c,int n){ int s=0; for(int i=0;i<n;i++){ if(c==null) return i+50; s+=c.f+c.arr.Length; } return s; }
  static int DivLoop(int a,int b,int n){ int s=0; try { for(int i=0;i<n;i++){ s+=i; if(i>2) s+=a/b; } } catch(DivideByZeroException){ s+=10000; } return s; }
  static int CheckedSum(int[] a){ try { int s=0; foreach(int x in a) checked { s+=x; } return s; } catch(OverflowException){ return -77; } }
  static uint Uns(uint a,uint b){ uint s=0; for(uint i=a;i<b;i++){ s+=i*i; s^=s>>3; } return s; }
  static int Rev(int[] a){ int n=a.Length; for(int i=0,j=n-1;i<j;i++,j--){ int t=a[i];a[i]=a[j];a[j]=t; } int h=0; for(int i=0;i<n;i++) h=h*31+a[i]; return h; }
  static int Bin(int[] a,int v){ int lo=0,hi=a.Length-1; while(lo<=hi){ int m=lo+((hi-lo)>>1); if(a[m]==v) return m; if(a[m]<v) lo=m+1; else hi=m-1; } return ~lo; }
  static int Window(int[] a,int w){ int best=int.MinValue; for(int i=0;i+w<=a.Length;i++){ int s=0; for(int j=i;j<i+w;j++) s+=a[j]; if(s>best) best=s; } return best; }
  static int OffByOne(int[] a){ int s=0; try { for(int i=0;i<=a.Length;i++) s+=a[i]; } catch(IndexOutOfRangeException){ s=~s; } return s; }
  static int Neg(int[] a,int from){ int s=0; try { for(int i=from;i<a.Length;i+=2) s+=a[i]; } catch(IndexOutOfRangeException){ s=-1000-s; } return s; }
  static int Wrap(int[] a){ int c=0; try { for(int i=int.MaxValue-3;i>=0 || i<a.Length;i++){ c++; if(i<0) c+=a[i]; if(c>10) break; } } catch(IndexOutOfRangeException){ c+=500; } return c; }
  static IEnumerable<int> It(int n){ for(int i=0;i<n;i++){ if(i%2==0) yield return i*i; } }
  static int Lists(){ var l=new List<int>(); for(int i=0;i<20;i++) l.Add(i*3%7); int s=0; foreach(int x in l) s=s*2+x; try { foreach(int x in l) if(x==5) l.Add(1); } catch(InvalidOperationException){ s+=7; } foreach(int x in It(9)) s-=x; var d=new Dictionary<int,long>(); for(int i=0;i<50;i++){ long v; d.TryGetValue(i%11,out v); d[i%11]=v+i; } foreach(var kv in d) s^=(int)(kv.Key*kv.Value); return s; }
  static T Pick<T>(T[] a,int i){ return a[i]; }
  static string Gens(){ var g=new Gen<int>(5); g.Get(); var h=new Gen<string>("q"); h.Get(); h.Get(); var k=new Gen<Gen<long>>(new Gen<long>(9)); k.v.Get(); return g.n+h.v+h.n+k.v.n+k.v.v+Pick(new[]{1.5,2.5},1)+Pick(new[]{"a","b"},0); }
  static int? Nul(int? a,int? b){ return a+b*2; }
  static long Fact(int n){ return n<=1?1:n*Fact(n-1); }
  static int Ack(int m,int n){ return m==0?n+1:n==0?Ack(m-1,1):Ack(m-1,Ack(m,n-1)); }
  static ref int At(int[] a,int i){ return ref a[i]; }
  static int Goto(int n){ int s=0; L: s+=n; if(n%3==1){ n+=4; goto M; } n--; M: if(n>0&&s<1000) goto L; return s*100+n; }
  static void Main(){
    var c=new C0{f=3,arr=new[]{1,2,3}}; var d=new C1{f=9,arr=new[]{5}};
    Console.WriteLine(AliasLoop(c,d)+" "+AliasLoop(c,c)+" "+AliasRef(ref c.f,c)+" "+AliasRef(ref d.f,c)+" "+StaticLoop(5)+" "+ArrSwap(c));
    Console.WriteLine(Union(9)+" "+StructMix(11)+" "+Ternary(c)+Ternary(d)+Ternary("x"));
    Console.WriteLine(TryLoop(new[]{4,5,6,7})+" "+NestedTry(0)+" "+NestedTry(1)+" "+NestedTry(2)+" "+NestedTry(3));
    Console.WriteLine(EarlyExit(new C0[]{c,d,null,c})+" "+GuardedNull(null,3)+" "+GuardedNull(c,3)+" "+DivLoop(5,0,2)+" "+DivLoop(5,0,9)+" "+DivLoop(9,2,9));
    Console.WriteLine(CheckedSum(new[]{1,2,3})+" "+CheckedSum(new[]{int.MaxValue,1})+" "+Uns(3,30)+" "+Rev(new[]{1,2,3,4,5})+" "+Bin(new[]{1,3,5,7,9},7)+" "+Bin(new[]{1,3,5,7,9},4));
    var arr=new int[23]; for(int i=0;i<arr.Length;i++) arr[i]=i*i%17-5;
    Console.WriteLine(Window(arr,4)+" "+OffByOne(arr)+" "+Neg(arr,0)+" "+Neg(arr,-2)+" "+Wrap(arr)+" "+Lists()+" "+Gens());
    Console.WriteLine((Nul(1,2)??-1)+" "+(Nul(null,2)??-1)+" "+Fact(15)+" "+Ack(2,5)+" "+Goto(10)+" "+Goto(7));
    At(arr,3)+=50; At(arr,4)*=3; Console.WriteLine(arr[3]+" "+arr[4]);
    clock=0; int before=Tick(); int r=0; for(int i=0;i<3;i++) r+=Init.Read(); Console.WriteLine(before+" "+r+" "+Init.order+" "+Tick());
    C0 nul=null; int sum=0; for(int i=0;i<3;i++){ try { sum+=i; SetF(nul,i); sum+=100; } catch(NullReferenceException){ sum+=1000; } } Console.WriteLine(sum);
  }
}
