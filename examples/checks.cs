// What the CLI checks: divisions, conversions, bounds, casts, null, array stores, handlers; and arithmetic of all widths.
using System;
struct P { public int a; public long b; public byte c; public P(int x){a=x;b=x*3L;c=(byte)x;} public int Sum(){return a+(int)b+c;} public static P operator+(P l,P r){P p; p.a=l.a+r.a;p.b=l.b+r.b;p.c=(byte)(l.c+r.c);return p;} }
struct Q { public P p; public double d; public object o; }
class Node { public Node next; public int v; public virtual int F(int x){return x+v;} public static int count; static Node(){count=7;} }
sealed class Leaf : Node { public override int F(int x){return x*2+v;} }
interface I { int G(int x); }
class Im : I { public int k; public int G(int x){return x^k;} }
static class Checks {
  static int[] arr = new int[50];
  static int Div(int a,int b){ try { return a/b; } catch(DivideByZeroException){ return -1; } catch(OverflowException){ return -2;} }
  static int Mod(int a,int b){ try { return a%b; } catch(DivideByZeroException){ return -1; } catch(ArithmeticException){ return -2;} }
  static string Ovf(double d){ string s=""; try { s+=checked((int)d)+","; } catch(OverflowException){ s+="o,"; } try { s+=checked((byte)d)+","; } catch(OverflowException){ s+="o,"; } try { s+=checked((ulong)d)+","; } catch(OverflowException){ s+="o,"; } try { s+=checked((long)d); } catch(OverflowException){ s+="o"; } return s; }
  static int Bounds(int[] a,int lo,int hi){ int s=0; try { for(int i=lo;i<hi;i++) s+=a[i]; } catch(IndexOutOfRangeException){ s=-s-1; } return s; }
  static int Down(int[] a){ int s=0; for(int i=a.Length-1;i>=0;i--) s=s*3+a[i]; return s; }
  static int Nested(int[] a){ int c=0; for(int i=0;i<a.Length;i++) for(int j=i+1;j<a.Length;j++) if(a[i]>a[j]) c++; return c; }
  static void Sort(int[] a){ for(int i=0;i<a.Length;i++) for(int j=i+1;j<a.Length;j++) if(a[i]>a[j]){ int t=a[i];a[i]=a[j];a[j]=t; } }
  static P Structs(int n){ P s=new P(0); for(int i=0;i<n;i++){ P t=new P(i); if((i&1)==0) s=s+t; else s=t+s; } return s; }
  static Q MakeQ(int n){ Q q=new Q(); q.p=new P(n); q.d=n*0.5; q.o=n.ToString(); Q r=q; r.p.a++; return r; }
  static int Finally(int n){ int r=0; for(int i=0;i<n;i++){ try { if(i%3==0) continue; if(i==n-2) break; r+=i; if(i%5==0) throw new Exception("x"); } catch(Exception e){ r+=100+e.Message.Length; } finally { r+=1000; } } return r; }
  static int Rethrow(int x){ int y=x; try { y++; try { y+=10; if(x>2) throw new InvalidOperationException(); y+=100; } finally { y*=2; } } catch(InvalidOperationException){ y+=5; } return y; }
  static int Filter(object o){ if(o is string) return ((string)o).Length; if(o is Leaf) return ((Leaf)o).F(1); if(o is Node) return ((Node)o).F(2); if(o is int) return (int)o; if (o is I) return ((I)o).G(3); if (o is int[]) return ((int[])o).Length; if (o is object[]) return -((object[])o).Length; return -99; }
  static string Cast(object o){ try { Leaf l=(Leaf)o; return l==null?"null":l.v.ToString(); } catch(InvalidCastException){ return "bad"; } }
  static string Store(object[] a, object o){ try { a[0]=o; return "ok"; } catch(ArrayTypeMismatchException){ return "mismatch"; } }
  static string NullT(Node n){ try { return n.v.ToString(); } catch(NullReferenceException){ return "nre"; } }
  static int LoopNull(Node n,int k){ int s=0; try { for(int i=0;i<k;i++){ s+=i; if(i==3) s+=n.v; } } catch(NullReferenceException){ s=-s; } return s; }
  static int LoopLoad(Node n,int k){ int s=0; for(int i=0;i<k;i++){ s+=n.v; n.v++; if(i==2) n=n.next; } return s; }
  static long Mat(int n){ var a=new long[n,n]; for(int i=0;i<n;i++) for(int j=0;j<n;j++) a[i,j]=i*n+j; long s=0; for(int i=0;i<n;i++) for(int j=0;j<n;j++){ long t=0; for(int k=0;k<n;k++) t+=a[i,k]*a[k,j]; s^=t; } return s; }
  static T Max<T>(T a,T b) where T:IComparable<T> { return a.CompareTo(b)>0?a:b; }
  static int Sw(int x){ switch(x){ case 0:return 5; case 1:return 6; case 2: return 9; case 5: return 1; default: return -x; } }
  static ulong Bits(ulong x,int n){ for(int i=0;i<n;i++) x=(x<<7)|(x>>57); return x; }
  static int Chars(string s){ int h=17; foreach(char c in s) h=h*31+c; for(int i=0;i<s.Length;i++) h^=s[i]<<(i&15); return h; }
  static double Fl(double x,float f){ double r=0; for(int i=0;i<20;i++){ r+=Math.Sqrt(x*i)+Math.Abs(f-i)+(x%(i+1)); f*=1.5f; } return Math.Floor(r*1000)/1000; }
  static int Small(sbyte a, byte b, short c, ushort d){ a++; b--; c+=1000; d*=3; return a+b*2+c*3+d*5; }
  static int AddrTaken(int n){ int a=n, b=2*n; Swap(ref a, ref b); return a*10+b; }
  static void Swap(ref int a, ref int b){ int t=a; a=b; b=t; }
  static void Main(){
    for(int i=0;i<arr.Length;i++) arr[i]=(i*7919+13)%101;
    Console.WriteLine(Div(7,2)+" "+Div(-7,2)+" "+Div(1,0)+" "+Div(int.MinValue,-1)+" "+Mod(-7,3)+" "+Mod(5,0)+" "+Mod(int.MinValue,-1));
    foreach(double d in new double[]{0,1.5,-0.5,255,256,-1,2147483647,2147483648.0,-2147483648.0,-2147483649.0,9.2e18,9.3e18,1.8e19,1.9e19,double.NaN,double.PositiveInfinity}) Console.WriteLine(Ovf(d));
    Console.WriteLine(Bounds(arr,0,50)+" "+Bounds(arr,0,51)+" "+Bounds(arr,-1,5)+" "+Bounds(arr,10,10)+" "+Down(arr)+" "+Nested(arr));
    var b=(int[])arr.Clone(); Sort(b); foreach(int x in b) Console.Write(x+" "); Console.WriteLine(Nested(b));
    P p=Structs(20); Console.WriteLine(p.a+" "+p.b+" "+p.c+" "+p.Sum());
    Q q=MakeQ(9); Console.WriteLine(q.p.a+" "+q.p.b+" "+q.d.ToString()+" "+q.o);
    Console.WriteLine(Finally(20)+" "+Rethrow(1)+" "+Rethrow(5));
    Node n=new Node{v=4}; Leaf l=new Leaf{v=6}; n.next=l; l.next=n;
    foreach(object o in new object[]{"abc",n,l,42,new Im{k=5},new int[3],new string[4],3.5,null}) Console.Write(Filter(o)+" "+Cast(o)+"; "); Console.WriteLine();
    Console.WriteLine(Store(new object[1],"x")+Store(new string[1],"x")+Store(new string[1],5)+Store(new Node[1],l)+Store(new Leaf[1],n)+Store(new string[1],null));
    Console.WriteLine(NullT(null)+NullT(n)+LoopNull(null,3)+LoopNull(null,5)+LoopNull(n,6)+LoopLoad(n,6));
    Console.WriteLine(Mat(12)+" "+Max(3,9)+Max(3L,4L)+Max(2.5,1.5)+" "+Node.count);
    for(int i=-1;i<7;i++) Console.Write(Sw(i)+" "); Console.WriteLine(Bits(0x123456789abcdef0UL,5));
    Console.WriteLine(Chars("hello, world")+" "+Fl(2.25,-3.5f)+" "+Small(127,0,32000,40000)+" "+AddrTaken(7));
    Func<int,int> f=x=>x*arr.Length; int cap=5; Func<int,int> g=x=>x+cap; cap=8; Console.WriteLine(f(3)+" "+g(4));
  }
}
