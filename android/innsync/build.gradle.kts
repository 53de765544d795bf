plugins {
    id("com.android.library")
}

android {
    namespace = "dev.innsync"
    compileSdk = 36
    defaultConfig {
        minSdk = 26
        ndk {
            // The core is built for these: src/android/jniLibs/<abi>/libinnsync_ffi.so
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }
    sourceSets.named("main") {
        manifest.srcFile("src/android/AndroidManifest.xml")
        kotlin.directories.add("src/android/kotlin")
        jniLibs.directories.add("src/android/jniLibs")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

kotlin {
    explicitApi()
}

dependencies {
    api(project(":core"))
    implementation("androidx.lifecycle:lifecycle-process:2.11.0")
    implementation("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
}
