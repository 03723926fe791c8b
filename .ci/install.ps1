# Installs burncam on Windows: the program, and completion for PowerShell. Not yet run on Windows.
#
#     powershell -ExecutionPolicy Bypass -File install.ps1 [-Version VERSION] [-To DIR] [-Archive FILE.zip]
#
# VERSION is the newest release unless named; DIR is %LOCALAPPDATA%\burncam. With -Archive nothing is downloaded.
# The variable BURNCAM_RELEASES names another place than the project's release page, with the same files.
param(
    [string]$Version = "",
    [string]$To = (Join-Path $env:LOCALAPPDATA "burncam"),
    [string]$Archive = ""
)
$ErrorActionPreference = "Stop"
# Windows PowerShell draws its bar so often that a download takes many times as long.
$ProgressPreference = "SilentlyContinue"
# Whole, because it goes into the path.
$To = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($To)
$releases = if ($env:BURNCAM_RELEASES) { $env:BURNCAM_RELEASES } else { "https://github.com/burncam/burncam/releases" }
# A PowerShell of 32 bits names its own architecture first.
$machine = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
if ($machine -ne "AMD64" -and $machine -ne "ARM64") {
    throw "install.ps1: no program for $machine, expected AMD64 or ARM64 (build it: cargo install burncam)"
}
# Windows on ARM runs programs for x86-64.
$target = "x86_64-pc-windows-msvc"
$work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory $work | Out-Null
try {
    if (-not $Archive) {
        if (-not $Version) {
            Invoke-WebRequest -UseBasicParsing "$releases/latest/download/version" -OutFile "$work\version"
            $Version = (Get-Content "$work\version" -TotalCount 1).Trim()
        }
        $Archive = "$work\burncam-$Version-$target.zip"
        $url = "$releases/download/v$Version/burncam-$Version-$target.zip"
        Invoke-WebRequest -UseBasicParsing $url -OutFile $Archive
        Invoke-WebRequest -UseBasicParsing "$url.sha256" -OutFile "$Archive.sha256"
    }
    if (Test-Path "$Archive.sha256") {
        $expected = ((Get-Content "$Archive.sha256" -TotalCount 1) -split "\s+")[0]
        $found = (Get-FileHash -Algorithm SHA256 $Archive).Hash
        if ($found -ne $expected) { throw "install.ps1: '$Archive' has the SHA-256 $found, expected $expected (download it again)" }
    }
    Expand-Archive $Archive -DestinationPath "$work\unpacked"
    $unpacked = (Get-ChildItem "$work\unpacked" -Directory | Select-Object -First 1).FullName
    & "$unpacked\burncam.exe" --version | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "install.ps1: the program does not start on this machine (build it: cargo install burncam)" }
    New-Item -ItemType Directory -Force "$To\bin", "$To\completions" | Out-Null
    Copy-Item -Force "$unpacked\burncam.exe" "$To\bin\"
    Copy-Item -Force "$unpacked\completions\burncam.ps1" "$To\completions\"
    $path = [Environment]::GetEnvironmentVariable("Path", "User")
    if (";$path;" -notlike "*;$To\bin;*") {
        [Environment]::SetEnvironmentVariable("Path", "$To\bin;$path", "User")
        Write-Output "$To\bin was added to your path; new shells see it."
    }
    Write-Output "$(& "$To\bin\burncam.exe" --version | Select-Object -First 1) is in $To\bin"
} finally {
    Remove-Item -Recurse -Force $work
}
