{{- define "crossfade.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "crossfade.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "crossfade.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "crossfade.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "crossfade.selectorLabels" -}}
app.kubernetes.io/name: {{ include "crossfade.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "crossfade.labels" -}}
{{ include "crossfade.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: crossfade
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "crossfade.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "crossfade.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Asked over the network where the admin API is open to it, inside the container where it is on loopback. */}}
{{- define "crossfade.probe" -}}
{{- if .root.Values.admin.exposed }}
httpGet: { path: {{ .path }}, port: admin }
{{- else }}
exec:
  command:
    - node
    - -e
    - "fetch('http://127.0.0.1:{{ .root.Values.admin.port }}{{ .path }}').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"
{{- end }}
{{- end }}
