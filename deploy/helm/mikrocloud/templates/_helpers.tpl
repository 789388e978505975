{{- define "mikrocloud.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* What selects the pods of a role: (dict "root" $ "role" "api") */}}
{{- define "mikrocloud.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "mikrocloud.labels" -}}
{{ include "mikrocloud.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "mikrocloud.image" -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) | quote }}
{{- end }}

{{/* Passes on the Secret and the settings, the same to every process. */}}
{{- define "mikrocloud.envFrom" -}}
- configMapRef: {name: {{ include "mikrocloud.name" . }}}
- secretRef: {name: {{ .Values.existingSecret }}}
{{- end }}

{{- define "mikrocloud.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Pods start anew when a setting changes. */}}
{{- define "mikrocloud.annotations" -}}
checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- end }}

{{- define "mikrocloud.podSpec" -}}
serviceAccountName: {{ include "mikrocloud.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "mikrocloud.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A start may wait for the database and for `migrate`, a minute each by default. */}}
{{- define "mikrocloud.probes" -}}
startupProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 3
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
{{- end }}

{{- define "mikrocloud.mounts" -}}
- {name: data, mountPath: /data}
- {name: tmp, mountPath: /tmp}
{{- if .Values.objects.existingClaim }}
- {name: objects, mountPath: /objects}
{{- end }}
{{- end }}

{{- define "mikrocloud.objectsVolume" -}}
{{- if .Values.objects.existingClaim }}
- name: objects
  persistentVolumeClaim: {claimName: {{ .Values.objects.existingClaim }}}
{{- end }}
{{- end }}

{{/* Replicas on different machines where there are some. */}}
{{- define "mikrocloud.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "mikrocloud.selector" . | nindent 8 }}
{{- end }}
