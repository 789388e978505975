#!/usr/bin/env python3
"""Score forecast CSVs against actuals and the seasonal naive. Standard library only.

  score_forecast.py FORECAST_DIR [--data tests/data/forecast] [--per-series] [--json] [--kind]
  score_forecast.py --cut OUT_DIR [--data DIR]   write, per (series, origin), a CSV holding ONLY what may be seen (blind run),
                                        named <series_id>__<k>.csv, plus requests.csv (file,series_id,origin,h_max)
  score_forecast.py --gate GATE.json FORECAST_DIR ...   exit 1 unless every bound holds, e.g. {"mase":0.92,"rel":0.78,"cov80":[77,83],"ms_med":50}

DATA_DIR   one CSV per series (series_id,timestamp,value) + origins.csv (series_id,origin,h_max,train_len).
           origin = timestamp of the last point the forecaster may see.
FORECAST_DIR  any *.csv with columns series_id,origin,horizon_step,yhat,lo80,hi80[,lo95,hi95][,ms]
           horizon_step counts from 1; hourly series (id h_*) need 1..168, daily (d_*) 1..30.
           A missing (series,origin) is filled with the seasonal naive, and counted in 'missing'
           (so leaving out the hard series cannot help).

MASE  = mean|e| over the horizon / in-sample MAE of the seasonal naive (m=24 hourly, 7 daily) on the training part.
sMAPE = 200*mean(|e|/(|y|+|yhat|)).   sumAPE = |sum yhat - sum y|/sum|y| over the horizon (the 'monthly bill' error), in %.
cov80/95 = share of actuals inside the interval.  MSIS80 = scaled interval score (lower is better; punishes too-wide intervals).
rel   = geometric mean over series of MAE / MAE of the seasonal naive out of sample (<1 beats it).
worse = share of series whose mean MAE is >10% worse than the seasonal naive's.
Each (series,origin,horizon) is averaged over origins first, then over series, so each series weighs the same.
"""
import csv,glob,json,math,os,sys
from collections import defaultdict
HZ={'h':(24,168),'d':(7,30)}; M={'h':24,'d':7}
def load(data):
    Y={}
    for f in sorted(glob.glob(os.path.join(data,'*.csv'))):
        if os.path.basename(f) in('origins.csv','manifest.csv'): continue
        r=list(csv.DictReader(open(f)))
        Y[r[0]['series_id']]=([x['timestamp'] for x in r],[float(x['value']) for x in r])
    O=[(r['series_id'],r['origin'],int(r['h_max']),int(r['train_len'])) for r in csv.DictReader(open(os.path.join(data,'origins.csv')))]
    return Y,O
def norm(ts): return ts.strip().replace(' ','T').replace('Z','')[:19]
def snaive(tr,m,H):
    d=[tr[i]-tr[i-m] for i in range(m,len(tr))]; sd=math.sqrt(sum(x*x for x in d)/len(d)) if d else 0.0
    out=[]
    for h in range(1,H+1):
        y=tr[len(tr)-m+(h-1)%m]; s=sd*math.sqrt((h-1)//m+1)
        out.append((y,y-1.2816*s,y+1.2816*s,y-1.96*s,y+1.96*s))
    return out
def fnum(x):
    try: v=float(x)
    except (TypeError,ValueError): return None
    return v if math.isfinite(v) else None
def main(a):
    data=os.path.join(os.path.dirname(os.path.abspath(__file__)),'..','data','forecast'); per=js=kind=False; dirs=[]
    i=0; cut=gate=None
    while i<len(a):
        if a[i]=='--cut': cut=a[i+1]; i+=1
        elif a[i]=='--gate': gate=json.load(open(a[i+1])) if os.path.exists(a[i+1]) else json.loads(a[i+1]); i+=1
        elif a[i]=='--data': data=a[i+1]; i+=1
        elif a[i]=='--per-series': per=True
        elif a[i]=='--json': js=True
        elif a[i]=='--kind': kind=True
        else: dirs.append(a[i])
        i+=1
    if cut:
        Y,O=load(data); os.makedirs(cut,exist_ok=True); n=defaultdict(int); R=['file,series_id,origin,h_max']
        for sid,org,H,tl in O:
            ts,y=Y[sid]; f=f'{sid}__{n[sid]}.csv'; n[sid]+=1; R.append(f'{f},{sid},{org},{H}')
            open(os.path.join(cut,f),'w').write('series_id,timestamp,value\n'+''.join(f'{sid},{t},{v!r}\n' for t,v in zip(ts[:tl],y[:tl])))
        open(os.path.join(cut,'requests.csv'),'w').write('\n'.join(R)+'\n'); print(len(O),'cut histories in',cut); return 0
    if not dirs: print(__doc__); return 2
    Y,O=load(data); F=defaultdict(dict); times=[]
    for f in sorted(glob.glob(os.path.join(dirs[0],'*.csv'))):
        for r in csv.DictReader(open(f)):
            if r['series_id'] not in Y: continue
            y=fnum(r['yhat'])
            if y is None: continue
            F[(r['series_id'],norm(r['origin']))][int(r['horizon_step'])]=(y,fnum(r.get('lo80')),fnum(r.get('hi80')),fnum(r.get('lo95')),fnum(r.get('hi95')))
            t=fnum(r.get('ms'))
            if t is not None and int(r['horizon_step'])==1: times.append(t)
    K={}
    mf=os.path.join(data,'manifest.csv')
    if kind and os.path.exists(mf): K={r['series_id']:r['kind'] for r in csv.DictReader(open(mf))}
    acc=defaultdict(lambda: defaultdict(list)); missing=no80=0
    for sid,org,H,tl in O:
        ts,y=Y[sid]; fr=sid[0]; m=M[fr]; tr=y[:tl]; assert norm(ts[tl-1])==norm(org),(sid,org)
        sc=sum(abs(tr[i]-tr[i-m]) for i in range(m,tl))/(tl-m) or 1e-9
        sn=snaive(tr,m,H); fc=F.get((sid,norm(org)),{})
        if any(h not in fc for h in range(1,H+1)): missing+=1; fc={h:sn[h-1] for h in range(1,H+1)}
        no80+=any(fc[h][1] is None or fc[h][2] is None for h in range(1,H+1))
        for hz in HZ[fr]:
            act=y[tl:tl+hz]
            for who,get in (('f',lambda h: fc[h]),('s',lambda h: sn[h-1])):
                A=acc[(sid,hz,who)]; P=[get(h) for h in range(1,hz+1)]
                e=[abs(p[0]-v) for p,v in zip(P,act)]
                A['mae'].append(sum(e)/hz); A['mase'].append(sum(e)/hz/sc)
                A['smape'].append(200*sum(abs(p[0]-v)/((abs(p[0])+abs(v)) or 1) for p,v in zip(P,act))/hz)
                A['sumape'].append(100*abs(sum(p[0] for p in P)-sum(act))/(sum(map(abs,act)) or 1))
                for lo,hi,k,al in ((1,2,'80',.2),(3,4,'95',.05)):
                    if all(p[lo] is not None and p[hi] is not None for p in P):
                        A['cov'+k].append(100*sum(p[lo]-1e-9<=v<=p[hi]+1e-9 for p,v in zip(P,act))/hz)
                        A['msis'+k].append(sum(p[hi]-p[lo]+2/al*max(0,p[lo]-v)+2/al*max(0,v-p[hi]) for p,v in zip(P,act))/hz/sc)
    mean=lambda x: sum(x)/len(x) if x else float('nan')
    def med(x):
        x=sorted(x); n=len(x); return float('nan') if not n else (x[n//2] if n%2 else (x[n//2-1]+x[n//2])/2)
    def block(sids,hz,who):
        S=[(s,acc[(s,hz,who)],acc[(s,hz,'s')]) for s in sids]
        g=lambda k:[mean(x[k]) for _,x,_ in S if x[k]]
        rr=[(mean(x['mae'])+1e-12)/(mean(b['mae'])+1e-12) for _,x,b in S]
        return dict(n=len(S),mase_mean=mean(g('mase')),mase_med=med(g('mase')),rel=math.exp(mean([math.log(r) for r in rr])),
            worse=100*mean([r>1.1 for r in rr]),smape_mean=mean(g('smape')),smape_med=med(g('smape')),sumape_med=med(g('sumape')),
            cov80=mean(g('cov80')),cov95=mean(g('cov95')),msis80=mean(g('msis80')))
    ids=sorted({o[0] for o in O}); rows=[]
    for fr in ('h','d'):
        s=[i for i in ids if i[0]==fr]
        for hz in HZ[fr]:
            if not s: continue
            for who,nm in (('f','forecast'),('s','snaive')):
                rows.append(dict(set='hourly' if fr=='h' else 'daily',h=hz,model=nm,**block(s,hz,who)))
            if K:
                for kd in sorted({K.get(i,'?') for i in s}):
                    q=[i for i in s if K.get(i,'?')==kd]
                    for who,nm in (('f','forecast'),('s','snaive')): rows.append(dict(set=('hourly:' if fr=='h' else 'daily:')+kd,h=hz,model=nm,**block(q,hz,who)))
    # the one headline: mean over the 4 (freq,horizon) cells
    head=dict(mase=mean([r['mase_mean'] for r in rows if r['model']=='forecast' and ':' not in r['set']]),rel=math.exp(mean([math.log(r['rel']) for r in rows if r['model']=='forecast' and ':' not in r['set']])),
        cov80=mean([r['cov80'] for r in rows if r['model']=='forecast' and ':' not in r['set']]),missing=missing,no80=no80,ms_med=med(times),ms_p95=sorted(times)[int(.95*(len(times)-1))] if times else float('nan'))
    if js: print(json.dumps(dict(head=head,rows=rows))); return 0
    print(f"{'set':<16}{'h':>4} {'model':<9}{'n':>4}{'MASE':>7}{'med':>7}{'rel':>7}{'worse%':>7}{'sMAPE':>7}{'med':>7}{'sumAPE':>7}{'cov80':>7}{'cov95':>7}{'MSIS80':>8}")
    for r in rows:
        print(f"{r['set']:<16}{r['h']:>4} {r['model']:<9}{r['n']:>4}{r['mase_mean']:7.3f}{r['mase_med']:7.3f}{r['rel']:7.3f}{r['worse']:7.0f}{r['smape_mean']:7.1f}{r['smape_med']:7.1f}{r['sumape_med']:7.1f}{r['cov80']:7.1f}{r['cov95']:7.1f}{r['msis80']:8.2f}")
    print(f"HEAD mean MASE {head['mase']:.3f}  rel {head['rel']:.3f}  cov80 {head['cov80']:.1f}  missing {missing}/{len(O)} no-interval {no80}"+(f"  ms/forecast med {head['ms_med']:.1f} p95 {head['ms_p95']:.1f}" if times else ''))
    if gate:
        bad=[k for k,b in gate.items() if not ((b[0]<=head[k]<=b[1]) if isinstance(b,list) else head[k]<=b)]
        print('GATE','FAIL '+','.join(f'{k}={head[k]:.3f}' for k in bad) if bad else 'PASS')
        if not per: return 1 if bad else 0
    if per:
        for s in ids:
            for hz in HZ[s[0]]:
                f,b=acc[(s,hz,'f')],acc[(s,hz,'s')]
                print(f"{s:<26}{hz:>4} MASE {mean(f['mase']):7.3f} snaive {mean(b['mase']):7.3f} sMAPE {mean(f['smape']):6.1f} cov80 {mean(f['cov80']):5.1f}")
    return 0
if __name__=='__main__': sys.exit(main(sys.argv[1:]))
